// Has Node load its own `fetch` with what belongs to it.
void globalThis.Headers

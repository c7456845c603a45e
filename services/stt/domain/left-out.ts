// Now and then the model takes a pause inside a window for the end of everything. How that shows, in files and live.

/** Less voice than that after the last word may be a breath, or a word that is not whole yet. */
export const LEAST_LEFT_OUT_SECONDS = 1
/** So early may the end of a word be timed: what is left of its sound says nothing. */
export const WORD_END_SECONDS = 0.5

/** The path of the route that served a request; null for usage of before, whose kind says all there is. */
export const sql = `
ALTER TABLE usage_ledger ADD COLUMN path text;
`

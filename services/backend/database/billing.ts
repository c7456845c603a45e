import type { ClientBase, Pool } from 'pg'
import type { UsedMs } from '../domain/invoice.ts'
import type { PlanChange, Span } from '../domain/plan-periods.ts'
import { DEFAULT_PLAN, type Plan, planOf, type UsageKind } from '../domain/plans.ts'

type Client = Pick<ClientBase, 'query'> | Pick<Pool, 'query'>

export async function readPlan(client: Client, organisation: string): Promise<Plan> {
  const { rows } = await client.query<{ plan: string }>('SELECT plan FROM subscriptions WHERE organisation_id = $1', [
    organisation,
  ])
  return planOf(rows[0]?.plan ?? DEFAULT_PLAN)
}

export async function storePlan(client: ClientBase, organisation: string, plan: Plan, since: Date): Promise<void> {
  await client.query(
    `INSERT INTO subscriptions (organisation_id, plan, since) VALUES ($1, $2, $3)
     ON CONFLICT (organisation_id) DO UPDATE SET plan = $2, since = $3`,
    [organisation, plan.id, since],
  )
}

/** Credit that came, or with a negative amount went. */
export interface CreditMovement {
  readonly id: string
  readonly amountMicros: number
  readonly reason: string
  readonly at: Date
}

export async function insertCreditMovement(
  client: ClientBase,
  organisation: string,
  { amountMicros, reason, at }: Omit<CreditMovement, 'id'>,
): Promise<CreditMovement> {
  const { rows } = await client.query<{ id: string }>(
    'INSERT INTO credit_movements (organisation_id, amount_micros, reason, at) VALUES ($1, $2, $3, $4) RETURNING id',
    [organisation, amountMicros, reason, at],
  )
  const [row] = rows
  if (!row) throw new Error('A credit movement was not written.')
  return { id: row.id, amountMicros, reason, at }
}

/** The sum of all movements, in millionths of a dollar. */
export async function readBalance(client: Client, organisation: string): Promise<number> {
  const { rows } = await client.query<{ balance: string }>(
    'SELECT coalesce(sum(amount_micros), 0)::bigint AS balance FROM credit_movements WHERE organisation_id = $1',
    [organisation],
  )
  return Number(rows[0]?.balance ?? 0)
}

/** The latest first, beginning before the one with the id `after`. */
export async function listCreditMovements(
  pool: Pool,
  organisation: string,
  { after, count }: { readonly after: string | undefined; readonly count: number },
): Promise<CreditMovement[]> {
  const { rows } = await pool.query<{ id: string; amount_micros: string; reason: string; at: Date }>(
    `SELECT id, amount_micros, reason, at FROM credit_movements
     WHERE organisation_id = $1 AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    [organisation, after ?? null, count],
  )
  // The driver gives bigint as text.
  return rows.map(({ id, amount_micros: amount, reason, at }) => ({ id, amountMicros: Number(amount), reason, at }))
}

/** Every plan the organisation has taken before an instant. */
export async function readPlanChanges(client: Client, organisation: string, before: Date): Promise<PlanChange[]> {
  const { rows } = await client.query<{ plan: string; since: Date }>(
    'SELECT plan, since FROM plan_history WHERE organisation_id = $1 AND since < $2',
    [organisation, before],
  )
  return rows.map(({ plan, since }) => ({ plan: planOf(plan), since }))
}

/** What ended in each of these spans, by one look at the ledger. */
export async function readUsedMs(pool: Pool, organisation: string, spans: readonly Span[]): Promise<UsedMs[]> {
  const { rows } = await pool.query<{ span: number; kind: UsageKind; ms: string }>(
    `SELECT span.number::integer AS span, kind, (sum(seconds) * 1000)::bigint AS ms
     FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS span (from_at, to_at, number)
     JOIN usage_ledger ON organisation_id = $1 AND ended_at >= from_at AND ended_at < to_at
     GROUP BY span.number, kind`,
    [organisation, spans.map(({ from }) => from), spans.map(({ to }) => to)],
  )
  return spans.map((_span, index) => {
    const used = new Map(rows.filter(({ span }) => span === index + 1).map(({ kind, ms }) => [kind, Number(ms)]))
    return { file: used.get('file') ?? 0, stream: used.get('stream') ?? 0 }
  })
}

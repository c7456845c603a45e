import { sql as organisations } from './001-organisations.ts'
import { sql as organisationChanges } from './002-organisation-changes.ts'
import { sql as usageLedger } from './003-usage-ledger.ts'
import { sql as outbox } from './004-outbox.ts'
import { sql as accounts } from './010-accounts.ts'
import { sql as auditLog } from './011-audit-log.ts'
import { sql as idempotencyKeys } from './012-idempotency-keys.ts'
import { sql as billing } from './013-billing.ts'
import { sql as usagePath } from './014-usage-path.ts'
import { sql as planHistory } from './015-plan-history.ts'
import { sql as outboxAttempts } from './016-outbox-attempts.ts'

/** One step of the schema. Once released it never changes: its checksum is kept in the database. */
export interface Migration {
  readonly name: string
  readonly sql: string
}

/** In the order in which they run. */
export const migrations: readonly Migration[] = [
  { name: '001-organisations', sql: organisations },
  { name: '002-organisation-changes', sql: organisationChanges },
  { name: '003-usage-ledger', sql: usageLedger },
  { name: '004-outbox', sql: outbox },
  { name: '010-accounts', sql: accounts },
  { name: '011-audit-log', sql: auditLog },
  { name: '012-idempotency-keys', sql: idempotencyKeys },
  { name: '013-billing', sql: billing },
  { name: '014-usage-path', sql: usagePath },
  { name: '015-plan-history', sql: planHistory },
  { name: '016-outbox-attempts', sql: outboxAttempts },
]

import { ACCOUNT_ID } from '../../backends/queue/port.ts'
import type { LoadedFunction } from '../function.ts'
import { ServiceError } from '../service-error.ts'
import { functionArn, VERSION } from '../settings.ts'
import type { LambdaApiDeps } from './exchange.ts'

/** `arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]`, or what stands behind the account. */
const REFERENCE =
  /^(?:(?:arn:aws:lambda:(?<region>[a-z0-9-]+):)?(?<account>\d{12}):function:)?(?<name>[\w-]+)(?::(?<qualifier>\$LATEST|[\w-]+))?$/

/** Finds a function by name, name:qualifier, partial or full ARN. @throws ServiceError */
export function findFunction(
  { functions, region }: Pick<LambdaApiDeps, 'functions' | 'region'>,
  reference: string,
  wanted?: string | null,
): LoadedFunction {
  const parts = REFERENCE.exec(reference)?.groups
  const name = parts?.['name']
  if (!parts || name === undefined) {
    throw new ServiceError(
      'InvalidParameterValueException',
      `${reference} is neither the name nor the ARN of a function.`,
    )
  }
  const inName = parts['qualifier']
  const qualifier = wanted ?? inName
  if (inName !== undefined && inName !== qualifier) {
    const message = 'The derived qualifier from the function name does not match the specified qualifier.'
    throw new ServiceError('InvalidParameterValueException', message)
  }
  const isHere = (parts['region'] ?? region) === region && (parts['account'] ?? ACCOUNT_ID) === ACCOUNT_ID
  const found = isHere && (qualifier ?? VERSION) === VERSION ? functions.get(name) : undefined
  if (found) return found
  const arn = reference.startsWith('arn:')
    ? reference.replace(/(:function:[^:]+).*/, '$1')
    : functionArn({ name, region })
  const qualified = qualifier === undefined ? arn : `${arn}:${qualifier}`
  throw new ServiceError('ResourceNotFoundException', `Function not found: ${qualified}`)
}

import { lambdaHandler } from '../wire/lambda.ts'
import { start } from './service.ts'

/** As Lambda loads it: `services/org-sync/main.handler`. */
export const handler = await lambdaHandler(start, process.env)

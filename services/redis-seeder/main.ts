import { lambdaHandler } from '../wire/lambda.ts'
import { start } from './service.ts'

/** As Lambda loads it: `services/redis-seeder/main.handler`. */
export const handler = await lambdaHandler(start, process.env)

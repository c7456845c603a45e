import { lambdaHandler } from '../wire/lambda.ts'
import { start } from './service.ts'

export const handler = await lambdaHandler(start, process.env)

/**
 * Undici, beside Node's own fetch. Whichever of the two is loaded first sends the requests of both, and this one refuses
 * what Node 20's fetch makes of a given `content-length`: a program that had the Deepgram SDK send a file failed with
 * "invalid content-length header".
 */
import './node-fetch.ts'

// oxlint-disable-next-line eslint/no-restricted-imports -- here it is.
export { Agent, fetch, FormData, request, type Dispatcher } from 'undici'

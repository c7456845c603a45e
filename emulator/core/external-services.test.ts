import { test } from 'vitest'
import { describeSystem } from '../start-environment.ts'
import { loadSettings } from '../config/settings.ts'
import { parseExternalServices, type ExternalServices } from './external-services.ts'

const { topology } = describeSystem({ engine: 'scripted' }, loadSettings({}))

test.for<[string, ExternalServices, ExternalServices]>([
  ['no more than where it is', { backend: ['http://localhost:8000/'] }, { backend: ['http://localhost:8000'] }],
  ['the usual port', { backend: ['http://[::1]'] }, { backend: ['http://[::1]'] }],
  [
    'one address once',
    { backend: ['http://a:1', 'http://b:1', 'http://a:1/'] },
    { backend: ['http://a:1', 'http://b:1'] },
  ],
  ['TLS to what services call', { 'stt-api-live-1': ['https://gpu:8443'] }, { 'stt-api-live-1': ['https://gpu:8443'] }],
  ['no address of what nobody calls', { 'db-sync': [] }, { 'db-sync': [] }],
])('programs of the user are known by address: %s', ([, wanted, parsed], { expect }) => {
  expect(parseExternalServices(topology, wanted)).toEqual(parsed)
})

test.for<[string, ExternalServices, string]>([
  ['an unknown service', { proxy: ['http://a:1'] }, 'There is no service proxy.'],
  ['a function', { 'prod-ws-proxy-redis-seeder': ['http://a:1'] }, 'There is no service prod-ws-proxy-redis-seeder.'],
  ['no address', { 'ws-proxy': [] }, 'ws-proxy is called over HTTP: its address is missing.'],
  ['an empty one', { 'ws-proxy': [''] }, 'ws-proxy cannot be called at "".'],
  ['an address nobody calls', { 'db-sync': ['http://a:1'] }, 'Nobody calls db-sync: it has no address.'],
  ['no URL', { 'ws-proxy': ['localhost:8000'] }, 'ws-proxy cannot be called at "localhost:8000".'],
  ['a path', { 'ws-proxy': ['http://a:1/v1'] }, 'ws-proxy cannot be called at "http://a:1/v1".'],
  ['credentials', { 'ws-proxy': ['http://me:secret@a:1'] }, 'ws-proxy cannot be called at "http://me:secret@a:1".'],
  ['TLS behind the balancer', { 'ws-proxy': ['https://a:1'] }, 'ws-proxy cannot be called at "https://a:1".'],
])('what cannot be called is refused: %s', ([, wanted, message], { expect }) => {
  expect(() => parseExternalServices(topology, wanted)).toThrow(
    expect.objectContaining({ code: 'ALDEA_USAGE', message }) as Error,
  )
})

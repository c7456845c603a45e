import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'vitest'

test("a program's own fetch stays as it is where this one is loaded", async ({ expect }) => {
  const script = `
    import { createServer } from 'node:http'
    import ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'undici.ts')).href)}
    const server = createServer((request, response) => request.pipe(response)).listen(0, '127.0.0.1', async () => {
      const headers = { 'content-length': '5' }
      const answer = await fetch(\`http://127.0.0.1:\${server.address().port}\`, { method: 'POST', headers, body: 'hello' })
      process.stdout.write(await answer.text())
      server.close()
    })`
  const arguments_ = ['--import', 'tsx', '--input-type=module', '--eval', script]

  const { stdout } = await promisify(execFile)(process.execPath, arguments_)

  expect(stdout).toBe('hello')
})

import { test } from 'vitest'
import { endOf, runCommand, spawnCommand, temporaryFolder } from './command.ts'

test.for(['cuda', 'webgpu'])(
  'start --device %s works without one, and says so in one line',
  async (device, { expect, onTestFinished }) => {
    const folder = await temporaryFolder(onTestFinished)
    const child = spawnCommand(['start', '--port', 'auto', '--backends', 'embedded', '--device', device], folder)
    const ended = endOf(child)
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await ended
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()))
    await expect.poll(() => output, { timeout: 90_000 }).toContain('✔ ready')

    const about = output.split('\n').filter((line) => line.includes(`${device} cannot be used`))
    // Where there is such a device it is used, and there is nothing to say.
    expect(about).toHaveLength(output.includes(`tiny.en on ${device}`) ? 0 : 1)
    expect(output).toMatch(/stt-api-live-1 .* tiny\.en on \w+/)
    expect(output).not.toMatch(/vkCreateInstance|onnxruntime_src/)
  },
)

test('start names the devices that there are', async ({ expect, onTestFinished }) => {
  const folder = await temporaryFolder(onTestFinished)

  const { exitCode, stderr } = await runCommand(['start', '--device', 'gpu'], folder)

  expect(exitCode).toBe(2)
  expect(stderr).toContain('gpu is no device')
  expect(stderr).toContain('Known: auto, cpu, cuda, webgpu.')
})

import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import type { GenericContainer } from 'testcontainers'
import { systemClock } from '../../../services/wire/clock.ts'
import type { Log } from '../../../services/wire/log.ts'
import { AldeaError, messageOf } from '../../core/errors.ts'
import { findPortHolder, portTaken } from '../../core/ports.ts'
import type { Engine } from './engine.ts'
import { requireEngine } from './image-probe.ts'
import { hasImage, pullImage } from './images.ts'
import { removeContainersOf, removeLeftovers, removeVolume } from './leftovers.ts'
import type { ContainerOptions } from './options.ts'
import { LABEL, openOwner, ownerLabels, processLabels, volumeName, writeOwner, type Owner } from './owner.ts'
import { loadTestcontainers } from './testcontainers.ts'

/** A server in a container, and how to know that it is ready. */
export interface ContainerProgram {
  readonly service: string
  readonly image: string
  readonly command: readonly string[]
  environment(owner: Owner): Readonly<Record<string, string>>
  /** Inside the container. */
  readonly containerPort: number
  /** Of 127.0.0.1; 0 takes any free one. */
  readonly port: number
  /** Folder inside the container that holds the data; absent for what keeps none. */
  readonly dataFolder: string | undefined
  /** Matches a line of its log. */
  readonly ready: RegExp
  readonly stateDir: string
  readonly log: Log
}

export interface RunningContainer {
  readonly port: number
  readonly password: string
  /** The data are complete: they are kept from now on. */
  initialised(): Promise<void>
  /** What it wrote last, oldest first. */
  lines(): readonly string[]
  /** Ends it; one that is reused stays. */
  stop(): Promise<void>
  /** Ends it, reused or not. */
  remove(): Promise<void>
}

/** Runs a server in a container. Nothing of it is left when this throws. */
export async function startContainer(program: ContainerProgram, options: ContainerOptions): Promise<RunningContainer> {
  const { service, image, stateDir, port } = program
  const engine = await requireEngine(options)
  if (!(await hasImage(engine, image))) await pullImage(engine, image, options.onProgress)
  await removeLeftovers(engine)
  const owner = await openOwner(stateDir)
  const recipe = recipeOf(program, owner, options)
  await removeContainersOf(engine, owner.id, (labels) => options.isReused && labels[LABEL.recipe] === recipe)
  await prepareVolume(engine, program, owner, options)

  const lines: string[] = []
  let isStopping = false
  const container = await buildContainer(engine, program, owner, options)
  container.withLabels({ ...ownerLabels(owner, stateDir), [LABEL.recipe]: recipe })
  if (options.isReused) container.withReuse()
  else container.withLabels(await processLabels())
  container.withLogConsumer((stream) => {
    const reader = createInterface({ input: stream })
    reader.on('line', (line) => {
      program.log.debug(line)
      lines.push(line)
      if (lines.length > KEPT_LINES) lines.shift()
    })
    reader.once('close', () => {
      if (!isStopping) program.log.error({ lastLine: lines.at(-1) }, `${service} ended by itself`)
    })
  })

  const remove = async (): Promise<void> => {
    isStopping = true
    await removeContainersOf(engine, owner.id)
  }
  try {
    const started = await withDeadline(container.start())
    let stopping: Promise<void> | undefined
    const stop = async (): Promise<void> => {
      isStopping = true
      if (options.isReused) return
      // What keeps no data has nothing to bring in order, and ElasticMQ would wait for its clients.
      await started.stop({ timeout: program.dataFolder === undefined ? 0 : STOP_TIMEOUT_MS })
    }
    return {
      port: started.getMappedPort(program.containerPort),
      password: owner.password,
      initialised: () => writeOwner(stateDir, { ...owner, isInitialised: true }),
      lines: () => lines,
      stop: () => (stopping ??= stop()),
      remove,
    }
  } catch (error) {
    // What an engine that is gone still holds is removed as a leftover.
    await remove().catch((problem: unknown) => program.log.warn({ err: problem }, `${service} was not cleared away`))
    if (PORT_TAKEN.test(messageOf(error)) && port !== 0) throw portTaken(port, await findPortHolder(port))
    throw containerUnhealthy(service, lines, error)
  }
}

/** A server in a container that did not come up, with the last thing that it said. */
export function containerUnhealthy(service: string, lines: readonly string[], cause: unknown): AldeaError {
  const last = lines.at(-1)
  const said = last === undefined ? messageOf(cause) : `last line: ${last}`
  return new AldeaError('ALDEA_BACKEND_UNHEALTHY', `${service} did not become ready in its container, ${said}.`, {
    cause: new Error(lines.join('\n'), { cause }),
  })
}

const KEPT_LINES = 40
/** A first start of PostgreSQL on a slow disk. */
const READY_TIMEOUT_MS = 60_000
/** For making the container as well: an engine that falls silent would be waited for without end. */
const START_DEADLINE_MS = READY_TIMEOUT_MS + 30_000
/** What a server gets for an orderly end before it is killed. */
const STOP_TIMEOUT_MS = 5_000
const PORT_TAKEN = /port is already allocated|address already in use/

async function withDeadline<T>(started: Promise<T>): Promise<T> {
  let giveUp = (_reason: Error): void => {}
  const late = new Promise<never>((_, reject) => (giveUp = reject))
  const timer = systemClock.after(START_DEADLINE_MS, () =>
    giveUp(new Error(`the engine did not start it in ${START_DEADLINE_MS / 1000} s`)),
  )
  return Promise.race([started, late]).finally(() => timer.cancel())
}

async function buildContainer(
  engine: Engine,
  program: ContainerProgram,
  owner: Owner,
  { isThrowAway }: ContainerOptions,
): Promise<GenericContainer> {
  const { LoopbackContainer, Wait } = await loadTestcontainers(engine.uri)
  const { image, command, containerPort, port, dataFolder } = program
  const container = new LoopbackContainer(image)
  container.withExposedPorts(port === 0 ? containerPort : { container: containerPort, host: port })
  container.withCommand([...command])
  container.withEnvironment({ ...program.environment(owner) })
  container.withWaitStrategy(Wait.forLogMessage(program.ready))
  container.withStartupTimeout(READY_TIMEOUT_MS)
  // Its own cleaner would be one more image; leftovers are removed at the next start.
  container.withAutoCleanup(false)
  if (dataFolder === undefined) return container
  if (isThrowAway) container.withTmpFs({ [dataFolder]: 'rw' })
  else container.withBindMounts([{ source: volumeName(owner), target: dataFolder, mode: 'rw' }])
  return container
}

/** Made by us, because the engine would make it without labels. */
async function prepareVolume(
  engine: Engine,
  { dataFolder, stateDir }: ContainerProgram,
  owner: Owner,
  { isThrowAway, isReused }: ContainerOptions,
): Promise<void> {
  if (dataFolder === undefined || isThrowAway) return
  const name = volumeName(owner)
  if (!owner.isInitialised && !isReused) await removeVolume(engine, name)
  await engine.call('POST', '/volumes/create', { body: { Name: name, Labels: ownerLabels(owner, stateDir) } })
}

function recipeOf(program: ContainerProgram, owner: Owner, { isThrowAway }: ContainerOptions): string {
  const { image, command, containerPort, port, dataFolder } = program
  const recipe = {
    image,
    command,
    environment: program.environment(owner),
    containerPort,
    port,
    dataFolder,
    isThrowAway,
  }
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, RECIPE_DIGITS)
}

/** 64 bits: enough to tell the few recipes of one folder apart. */
const RECIPE_DIGITS = 16

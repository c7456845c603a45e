import { hostname } from 'node:os'
import { isAlive } from '../../core/processes.ts'
import { EngineError } from './engine-client.ts'
import type { Engine } from './engine.ts'
import { LABEL, readOwner } from './owner.ts'

export type Labels = Readonly<Record<string, string>>

/**
 * Removes what earlier starts left in the engine: containers whose process is gone, and containers and volumes whose
 * state folder is gone. What another machine made in the same engine is not judged: its processes cannot be seen.
 */
export async function removeLeftovers(engine: Engine): Promise<void> {
  const containers = await containersWith(engine, LABEL.owner)
  const gone = await Promise.all(containers.map(async (each) => ((await isLeftover(each.Labels)) ? [each.Id] : [])))
  await Promise.all(gone.flat().map((id) => removeContainer(engine, id)))

  const volumes = await volumesWith(engine, LABEL.owner)
  await Promise.all(
    volumes.map(async (each) => {
      if (await hasLostFolder(each.Labels)) await removeVolume(engine, each.Name)
    }),
  )
}

/** Whether a container with these labels belongs to nobody any more. */
export async function isLeftover(labels: Labels): Promise<boolean> {
  if (labels[LABEL.host] !== hostname()) return false
  const pid = labels[LABEL.pid]
  const startTime = labels[LABEL.pidStart]
  // One that is kept for the next start has no process, only its folder.
  if (pid === undefined || startTime === undefined) return hasLostFolder(labels)
  return !(await isAlive({ pid: Number(pid), startTime }))
}

/** Whether the state folder is gone, or was made anew since. */
export async function hasLostFolder(labels: Labels): Promise<boolean> {
  const stateDir = labels[LABEL.stateDir]
  if (labels[LABEL.host] !== hostname() || stateDir === undefined) return false
  return (await readOwner(stateDir))?.id !== labels[LABEL.owner]
}

/** Removes the containers of one state folder, which is locked, so that nobody uses them; `isKept` spares some. */
export async function removeContainersOf(
  engine: Engine,
  ownerId: string,
  isKept: (labels: Labels) => boolean = () => false,
): Promise<void> {
  const own = await containersWith(engine, `${LABEL.owner}=${ownerId}`)
  await Promise.all(own.filter((each) => !isKept(each.Labels)).map((each) => removeContainer(engine, each.Id)))
}

export async function removeVolume(engine: Engine, name: string): Promise<void> {
  await ignoringGone(engine.call('DELETE', `/volumes/${name}`))
}

interface ListedContainer {
  readonly Id: string
  readonly Labels: Labels
}

async function containersWith(engine: Engine, label: string): Promise<readonly ListedContainer[]> {
  const listed = await engine.call('GET', `/containers/json?all=true&${filtersOf(label)}`)
  return listed as readonly ListedContainer[]
}

async function volumesWith(engine: Engine, label: string): Promise<readonly { Name: string; Labels: Labels }[]> {
  const listed = (await engine.call('GET', `/volumes?${filtersOf(label)}`)) as {
    Volumes: readonly { Name: string; Labels: Labels }[] | null
  }
  return listed.Volumes ?? []
}

function filtersOf(label: string): string {
  return new URLSearchParams({ filters: JSON.stringify({ label: [label] }) }).toString()
}

/** With the volumes that its image asked for; named ones stay. */
async function removeContainer(engine: Engine, id: string): Promise<void> {
  await ignoringGone(engine.call('DELETE', `/containers/${id}?force=true&v=true`))
}

/** Gone, being removed by somebody else, or a volume in use: each is another start's business. */
const NOT_OURS: ReadonlySet<number> = new Set([404, 409])

async function ignoringGone(removal: Promise<unknown>): Promise<void> {
  await removal.catch((error: unknown) => {
    if (!(error instanceof EngineError && NOT_OURS.has(error.status))) throw error
  })
}

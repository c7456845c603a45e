import type { GenericContainer, Wait } from 'testcontainers'

interface Testcontainers {
  /** A container whose ports are opened on 127.0.0.1; testcontainers opens them on every address. */
  readonly LoopbackContainer: new (image: string) => GenericContainer
  readonly Wait: typeof Wait
}

let loading: Promise<Testcontainers> | undefined

/** Testcontainers on the engine that we have found; read when first needed, it takes a quarter of a second. */
export function loadTestcontainers(engineUri: string): Promise<Testcontainers> {
  return (loading ??= load(engineUri))
}

async function load(engineUri: string): Promise<Testcontainers> {
  // It takes these from the variables of the process only. Without the first it would look for an engine by itself;
  // without the second it would believe in a container that the engine's ports are on another address.
  // oxlint-disable-next-line no-restricted-properties
  Object.assign(process.env, { DOCKER_HOST: engineUri, TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1' })
  const module = await import('testcontainers')
  // A bundle has the library as the default export only, some loaders have none.
  const testcontainers = 'GenericContainer' in module ? module : (module as { default: typeof module }).default

  class LoopbackContainer extends testcontainers.GenericContainer {
    protected override beforeContainerCreated(): Promise<void> {
      const bindings = this.hostConfig.PortBindings as Record<string, { HostIp?: string }[]> | undefined
      for (const binding of Object.values(bindings ?? {}).flat()) binding.HostIp = '127.0.0.1'
      return Promise.resolve()
    }
  }
  return { LoopbackContainer, Wait: testcontainers.Wait }
}

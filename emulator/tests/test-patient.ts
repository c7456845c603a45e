import { type RequestListener, type Server, createServer } from 'node:http'
import type { Target } from '../alb/model.ts'
import type { VirtualClock } from '../core/clock.ts'
import { createTargetOf, healthCheck, startNetworkTarget } from './test-balancer.ts'

/** A target whose health a test decides, and which counts its checks. */
export interface Patient {
  readonly target: Target
  readonly server: Server
  /** Of the next answers to health checks. */
  status: number
  /** Checks that are over, in the eyes of the balancer too. */
  checks: number
}

export interface PatientOptions {
  readonly kind: Target['kind']
  readonly id: string
  readonly onTestFinished: (cleanUp: () => void | Promise<void>) => void
  readonly zone?: string
  readonly status?: number
  /** Of everything but health checks; answers with the id when absent. */
  readonly answer?: RequestListener
}

export async function startPatient(options: PatientOptions): Promise<Patient> {
  const { kind, id, onTestFinished, zone = 'a', status = 200, answer = (_, response) => response.end(id) } = options
  const server = createServer((request, response) => {
    if (request.url !== healthCheck.path) return answer(request, response)
    // The balancer ends the connection of a check when it has read the answer.
    request.socket.once('close', () => (patient.checks += 1))
    response.writeHead(patient.status).end()
  })
  const target = kind === 'network' ? await startNetworkTarget(id, server, onTestFinished) : createTargetOf(id, server)
  const patient: Patient = { target: { ...target, zone }, server, status, checks: 0 }
  return patient
}

/** Lets the next check of every patient take place, and waits until all are over: TCP takes real time. */
export async function nextChecks(clock: VirtualClock, patients: readonly Patient[], nodes = 1): Promise<void> {
  const before = patients.map(({ checks }) => checks)
  await clock.advance(healthCheck.intervalSeconds * 1000)
  while (patients.some(({ checks }, index) => checks < (before[index] ?? 0) + nodes)) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

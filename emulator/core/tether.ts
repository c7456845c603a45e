import { execFile } from 'node:child_process'
import type { StdioOptions } from 'node:child_process'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'

/**
 * How a child is made to end with us however we end, SIGKILL included.
 *
 * - `pdeathsig`: Linux sends the child a signal when the thread that started it ends.
 * - `shim`: a small shell between us and the child waits for the end of a pipe that only we hold open.
 * - `none`: Windows, where only an orderly stop ends the child and the reaper of the next start ends the rest.
 */
export type Tether = 'pdeathsig' | 'shim' | 'none'

export interface TetheredCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly stdio: StdioOptions
  /** The pid of the program itself comes as a line on descriptor 3, since a shell stands between. */
  readonly tellsPid: boolean
}

export async function chooseTether(): Promise<Tether> {
  if (process.platform === 'win32') return 'none'
  // The signal is tied to the thread that spawns, and a worker thread may end before the process does.
  if (process.platform !== 'linux' || !isMainThread) return 'shim'
  // Tried rather than looked up: the setpriv of small systems has no such option.
  const works = promisify(execFile)('setpriv', ['--pdeathsig', 'TERM', 'true'])
  return works.then(
    () => 'pdeathsig',
    () => 'shim',
  )
}

/** The command line that runs `program` on a tether, with `signal` as the one that ends it cleanly. */
export function tetherCommand(
  tether: Tether,
  program: readonly string[],
  signal: 'SIGINT' | 'SIGTERM',
): TetheredCommand {
  const name = signal.slice('SIG'.length)
  const command = {
    pdeathsig: [
      'setpriv',
      '--pdeathsig',
      name,
      '--',
      '/bin/sh',
      '-c',
      IF_PARENT_LIVES,
      String(process.pid),
      ...program,
    ],
    shim: ['/bin/sh', '-c', SHIM, 'shim', name, ...program],
    none: program,
  }[tether]
  const [first = '', ...args] = command
  const tellsPid = tether === 'shim'
  const stdio: StdioOptions = tellsPid ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe']
  return { command: first, args, stdio, tellsPid }
}

/** A parent that ended before setpriv asked for the signal never sends it: then the child must not start at all. */
const IF_PARENT_LIVES = '[ "$PPID" = "$0" ] && exec "$@"'

/**
 * Standard input is the pipe. It is saved first, because a shell gives its background jobs /dev/null instead. The
 * watcher ends the program when the pipe ends: cleanly, and after 5 s (50 × 0.1) by force. Whatever else is in the group
when the program has ended, the watcher and children that it left, ends then.
 */
const SHIM = `
exec 4<&0 </dev/null
signal=$1; shift
"$@" 3>&- 4<&- &
child=$!
echo "$child" >&3
exec 3>&-
(
  while read -r _ <&4; do :; done
  kill -s "$signal" "$child"
  tries=0
  while [ "$tries" -lt 50 ] && kill -0 "$child"; do sleep 0.1; tries=$((tries + 1)); done
  kill -s KILL "$child"
) >/dev/null 2>&1 &
exec 4<&-
wait "$child"
code=$?
trap '' TERM
kill -s TERM 0
exit "$code"
`

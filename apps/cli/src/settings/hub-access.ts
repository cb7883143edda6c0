import type { FetchOptions } from '@dit/pipeline'
import { UsageError } from '../terminal/errors.js'

/**
 * How a source of a model hub is fetched: with the token in `HF_TOKEN`, from the hub or mirror in `HF_ENDPOINT`. Other addresses get neither.
 *
 * The token is only ever in the header of a request to that host: fetch leaves `Authorization` out where an answer leads to another one.
 *
 * @throws UsageError where a variable is none, or the token would travel unencrypted; texts never hold the token
 */
export function hubAccess(
  source: string,
  env: NodeJS.ProcessEnv = process.env,
): Pick<FetchOptions, 'headers' | 'host'> {
  if (!source.startsWith('hf:')) return {}
  const [token, host] = [env['HF_TOKEN'], env['HF_ENDPOINT']].map((value) => value?.trim() || undefined)
  const isSafe = host === undefined || isSafeHost(host)
  if (token === undefined) return host === undefined ? {} : { host }
  // The message of fetch would show it.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError('HF_TOKEN must be one word of letters, digits and signs (its value is not shown)')
  }
  if (!isSafe) {
    throw new UsageError('HF_ENDPOINT must be an https address, because HF_TOKEN is sent there; unset one of them')
  }
  return { headers: { Authorization: `Bearer ${token}` }, ...(host === undefined ? {} : { host }) }
}

/** Whether nobody on the way can read what is sent there. */
function isSafeHost(host: string): boolean {
  const { protocol, hostname, username, password } = addressOf(host)
  if (!/^https?:$/.test(protocol) || username !== '' || password !== '') {
    throw new UsageError('HF_ENDPOINT must be an http(s) address of a hub, without user and password')
  }
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

function addressOf(host: string): URL {
  try {
    return new URL(host)
  } catch {
    throw new UsageError('HF_ENDPOINT must be an address, such as https://hub.example.org')
  }
}

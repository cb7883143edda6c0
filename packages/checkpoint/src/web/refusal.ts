import { WebFileError } from './error.js'
import { Break, MAX_WAIT_SECONDS, retryAfterSeconds } from './retry.js'

/** The server has too much to do (429, 503), or one behind it has failed: later may be better. */
const MAY_PASS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])

/** What to throw for an answer whose status is not the one that was asked for. */
export function refusal(who: string, url: string, { status, statusText, headers }: Response): WebFileError | Break {
  // HTTP/2 has no status texts.
  const gave = `${who}: ${url} gave ${status} ${statusText}`.trimEnd()
  const error = (more = '') => new WebFileError(`${gave}${more}`, { url, status })
  if (status === 401 || status === 403)
    return error(': it may be private, need permission, or not exist (`headers` can carry a token)')
  if (!MAY_PASS.has(status)) return error()
  const asked = retryAfterSeconds(headers)
  if (asked !== null && asked > MAX_WAIT_SECONDS) {
    return error(` and asks to wait ${asked} s, longer than the ${MAX_WAIT_SECONDS} s that ${who} waits`)
  }
  return new Break(error(), asked ?? 'doubling')
}

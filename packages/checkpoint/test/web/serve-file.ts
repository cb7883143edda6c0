import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FileOptions {
  /** So many answers, the first ones, end after half of what they promise. */
  readonly breaks?: number
  readonly hasRanges?: boolean
  /** Whether the version of the file is told by an ETag, by its date, or by nothing. */
  readonly tells?: 'tag' | 'date' | 'nothing'
  /** Headers of every answer, in place of those above where they have the same name. */
  readonly headers?: Readonly<Record<string, string | number>>
  /** Sends the first half of every answer, or of so many, the first ones, and then nothing more. */
  readonly stalls?: boolean | number
  /** So many requests, the first ones, get no answer at all. */
  readonly silences?: number
  /** The first answers, in place of the file. */
  readonly refusals?: readonly Refusal[]
}

export interface Refusal {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | number>>
  readonly body?: string
}

/** A file as a server gives it. */
export interface AnsweredFile {
  readonly answer: RequestListener
  /** Ranges that were asked for; null for a request of the whole. */
  readonly ranges: (string | null)[]
  /** Status of each answer. */
  readonly statuses: number[]
  /** Replaces the file; its ETag and date change. */
  replace(contents: Uint8Array): void
}

export interface ServedFile extends AnsweredFile {
  readonly url: string
  close(): Promise<void>
}

/** Answers for one file, with byte ranges and conditions. */
export function answerFile(
  contents: Uint8Array,
  {
    breaks = 0,
    hasRanges = true,
    tells = 'tag',
    headers: extra = {},
    stalls = false,
    silences = 0,
    refusals = [],
  }: FileOptions = {},
): AnsweredFile {
  let file = contents
  let version = 1
  let left = breaks
  let stallsLeft = stalls === true ? Infinity : Number(stalls)
  let silencesLeft = silences
  const refusalsLeft = [...refusals]
  const ranges: (string | null)[] = []
  const statuses: number[] = []
  return {
    ranges,
    statuses,
    replace(next) {
      file = next
      version++
    },
    answer({ headers: asked }, response) {
      const range = asked.range ?? null
      ranges.push(range)
      if (silencesLeft > 0) {
        silencesLeft--
        return
      }
      const refused = refusalsLeft.shift()
      if (refused !== undefined) {
        statuses.push(refused.status)
        response.writeHead(refused.status, refused.headers)
        response.end(refused.body)
        return
      }
      const tag = `"${version}"`
      const date = new Date(Date.UTC(2030, 0, version)).toUTCString()
      const told = tells === 'tag' ? { ETag: tag } : tells === 'date' ? { 'Last-Modified': date } : {}
      const start = (status: number, headers: Readonly<Record<string, string | number>>) => {
        statuses.push(status)
        response.writeHead(status, { ...told, ...headers, ...extra })
      }
      if (asked['if-none-match'] === tag || (tells === 'date' && asked['if-modified-since'] === date)) {
        start(304, {})
        response.end()
        return
      }
      const isCurrent = asked['if-range'] === undefined || asked['if-range'] === tag
      const [, first, last] = (hasRanges && isCurrent && /^bytes=(\d+)-(\d*)$/.exec(range ?? '')) || []
      const from = first === undefined ? 0 : Number(first)
      const end = last === undefined || last === '' ? file.length : Math.min(file.length, Number(last) + 1)
      const body = file.subarray(from, end)
      if (first === undefined) start(200, { 'Content-Length': body.length })
      else start(206, { 'Content-Length': body.length, 'Content-Range': `bytes ${from}-${end - 1}/${file.length}` })
      if (stallsLeft > 0) {
        stallsLeft--
        response.write(body.subarray(0, body.length >> 1))
      } else if (left > 0) {
        left--
        response.write(body.subarray(0, body.length >> 1), () => response.destroy())
      } else response.end(body)
    },
  }
}

/** What a server without Git LFS gives in place of a large file. */
export const LFS_POINTER = `version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 2700000000
`

/** Serves one file at an address of its own. */
export async function serveFile(contents: Uint8Array, options: FileOptions = {}): Promise<ServedFile> {
  const file = answerFile(contents, options)
  return { ...file, ...(await listen(file.answer)) }
}

/** Serves what `answer` answers; `ranges` and `statuses` are not filled. */
export async function serveBy(answer: RequestListener): Promise<ServedFile> {
  return { ...answerFile(new Uint8Array()), answer, ...(await listen(answer)) }
}

/** Serves parts with so many milliseconds before each. */
export function serveSlowly(parts: readonly string[], milliseconds: number): Promise<ServedFile> {
  return serveBy((_, response) => {
    const left = [...parts]
    const timer = setInterval(() => {
      const part = left.shift()
      if (part !== undefined) response.write(part)
      else {
        clearInterval(timer)
        response.end()
      }
    }, milliseconds)
  })
}

async function listen(answer: RequestListener): Promise<Pick<ServedFile, 'url' | 'close'>> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

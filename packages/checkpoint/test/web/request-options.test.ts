import type { IncomingHttpHeaders } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { fetchFile, urlSource } from '../../src/web/index.js'
import { answerFile, type ServedFile, serveBy, serveFile } from './serve-file.js'

const file = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251)

let server: ServedFile
afterEach(() => server?.close())

test('headers go with every request, also where a download goes on', async () => {
  const seen: IncomingHttpHeaders[] = []
  const { answer } = answerFile(file, { breaks: 1 })
  server = await serveBy((request, response) => {
    seen.push(request.headers)
    answer(request, response)
  })
  const headers = { Authorization: 'Bearer secret' }
  expect(await fetchFile(server.url, { headers })).toHaveLength(file.length)
  const source = await urlSource(server.url, { headers })
  expect(await source.read(10, 12)).toEqual(file.subarray(10, 12))
  expect(seen.map(({ authorization }) => authorization)).toEqual(Array(4).fill('Bearer secret'))
  expect(seen.map(({ range }) => range?.replace(/\d+-$/, 'N-'))).toEqual([
    undefined,
    'bytes=N-',
    expect.stringMatching(/^bytes=0-/),
    'bytes=10-11',
  ])
})

test('headers that the call sends itself, or that are none, are refused without their values', async () => {
  await expect(fetchFile('http://localhost/x', { headers: { range: 'bytes=0-1' } })).rejects.toThrow(
    /^fetchFile: headers must not hold Range, which fetchFile sends itself$/,
  )
  const none = urlSource('http://localhost/x', { headers: { Authorization: 'Bearer secret\nRange: 0' } })
  await expect(none).rejects.toThrow(/^urlSource: headers must be names of HTTP headers and their values$/)
})

test('an answer longer than maxBytes is refused before it is loaded', async () => {
  server = await serveFile(file)
  await expect(fetchFile(server.url, { maxBytes: 99_999 })).rejects.toThrow(
    /^fetchFile: http.* gives 100000 bytes, and maxBytes allows 99999$/,
  )
  expect(await fetchFile(server.url, { maxBytes: 100_000 })).toHaveLength(100_000)
  await expect(fetchFile(server.url, { maxBytes: Number.NaN })).rejects.toThrow(/maxBytes must be a number of bytes/)
})

test('an answer without end stops at maxBytes', async () => {
  let isGone = false
  server = await serveBy((_, response) => {
    const timer = setInterval(() => response.write(file), 1)
    response.on('close', () => {
      clearInterval(timer)
      isGone = true
    })
  })
  await expect(fetchFile(server.url, { maxBytes: 500_000 })).rejects.toThrow(/gives more, and maxBytes allows 500000$/)
  await expect.poll(() => isGone).toBe(true)
})

import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hubAccess } from '../src/settings/hub-access.js'
import { runDit, temporaryFolder } from './support/run-dit.js'

const FOLDER = join(import.meta.dirname, '../../../packages/model/test/fixtures/layouts/diffusers')
const TOKEN = 'hf_abcDEF123'

interface Hub {
  readonly endpoint: string
  /** Authorization of each request, to the hub and to the store that it leads to. */
  readonly atHub: (string | undefined)[]
  readonly atStore: (string | undefined)[]
  /** Bytes of weights that were sent. */
  sent: number
}

async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A hub with a private model, whose files lie on another host, as those of hubs do. */
async function serveHub(): Promise<Hub> {
  const hub = { endpoint: '', atHub: [] as (string | undefined)[], atStore: [] as (string | undefined)[], sent: 0 }
  const store = await listen((request, response) => {
    hub.atStore.push(request.headers.authorization)
    const bytes = readFileSync(join(FOLDER, request.url!.slice(1)))
    const [start, end] = rangeOf(request, bytes.length)
    const part = bytes.subarray(start, end)
    if (request.url!.endsWith('.safetensors')) hub.sent += part.length
    response.writeHead(part.length === bytes.length ? 200 : 206, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': part.length,
      'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}`,
      ETag: '"1"',
    })
    response.end(part)
  })
  hub.endpoint = await listen((request, response) => {
    hub.atHub.push(request.headers.authorization)
    const name = /^\/me\/private\/resolve\/main\/(.+)$/.exec(request.url!)?.[1] ?? ''
    if (request.headers.authorization !== `Bearer ${TOKEN}`) response.writeHead(401).end()
    else if (!existsSync(join(FOLDER, name))) response.writeHead(404).end()
    else response.writeHead(302, { Location: `${store}/${name}` }).end()
  })
  return hub
}

function rangeOf({ headers }: IncomingMessage, size: number): [number, number] {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
  return from === undefined ? [0, size] : [Number(from), Math.min(size, to === '' ? size : Number(to) + 1)]
}

test('HF_TOKEN opens a private model, goes to the hub alone, and is never shown', async () => {
  const hub = await serveHub()
  const cwd = temporaryFolder()
  const env = { HF_TOKEN: `${TOKEN}\n`, HF_ENDPOINT: hub.endpoint }
  const { code, stdout, stderr } = await runDit(['--debug', 'convert', 'hf:me/private', 'o.safetensors'], { cwd, env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(new Set(hub.atHub)).toEqual(new Set([`Bearer ${TOKEN}`]))
  expect(hub.atStore.length).toBeGreaterThan(1)
  expect(new Set(hub.atStore)).toEqual(new Set([undefined]))
  expect(stdout).not.toContain(TOKEN)
  expect(readdirSync(cwd)).toEqual(['o.safetensors'])
  expect(readFileSync(join(cwd, 'o.safetensors'), 'latin1')).not.toContain(TOKEN)
})

test('without a token the error says where to give one; a wrong one is not shown', async () => {
  const hub = await serveHub()
  for (const HF_TOKEN of ['', 'hf_wrong']) {
    const env = { HF_TOKEN, HF_ENDPOINT: hub.endpoint }
    const { code, stderr } = await runDit(['--debug', 'info', 'hf:me/private'], { env })
    expect(stderr).toMatch(/gave 401 .*\(the variable HF_TOKEN can hold a token for hf:owner\/name\)/)
    expect(stderr).not.toContain('hf_wrong')
    expect(code).toBe(1)
  }
  expect(new Set(hub.atHub)).toEqual(new Set([undefined, 'Bearer hf_wrong']))
})

test('info describes a model at an address without its weights', async () => {
  const hub = await serveHub()
  const env = { HF_TOKEN: TOKEN, HF_ENDPOINT: hub.endpoint }
  const { code, stdout, stderr } = await runDit(['info', 'hf:me/private'], { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const local = await runDit(['info', FOLDER])
  const ofModel = (text: string) => text.slice(text.indexOf('\nmodel '))
  expect(ofModel(stdout)).toBe(ofModel(local.stdout))
  expect(stdout).toMatch(/^file +hf:me\/private\n/)
  const header = readFileSync(join(FOLDER, 'diffusion_pytorch_model.safetensors')).readUInt32LE()
  expect(hub.sent).toBeGreaterThan(header)
  // What it is, is asked with a few hundred bytes more.
  expect(hub.sent).toBeLessThan(header + 1024)
})

test('other addresses get no token, and a token is not sent unencrypted', () => {
  const env = { HF_TOKEN: TOKEN }
  expect(hubAccess('https://example.org/model', env)).toEqual({})
  expect(hubAccess('runs/a', env)).toEqual({})
  expect(hubAccess('hf:a/b', {})).toEqual({})
  expect(hubAccess('hf:a/b', env)).toEqual({ headers: { Authorization: `Bearer ${TOKEN}` } })
  expect(hubAccess('hf:a/b', { HF_ENDPOINT: 'http://mirror.example.org' })).toEqual({
    host: 'http://mirror.example.org',
  })
  const wrong: [NodeJS.ProcessEnv, RegExp][] = [
    [{ ...env, HF_ENDPOINT: 'http://mirror.example.org' }, /HF_ENDPOINT must be an https address, because HF_TOKEN/],
    [{ HF_ENDPOINT: 'https://me:secret@example.org' }, /^HF_ENDPOINT must be an http\(s\) address of a hub, without/],
    [{ HF_ENDPOINT: 'mirror' }, /HF_ENDPOINT must be an address, such as/],
    [{ HF_TOKEN: 'two words' }, /^HF_TOKEN must be one word .* \(its value is not shown\)$/],
  ]
  for (const [given, message] of wrong) expect(() => hubAccess('hf:a/b', given)).toThrow(message)
})

import { expect, test } from 'vitest'
import { hubFileUrl, parseHubReference } from '../../src/web/index.js'

const host = 'http://127.0.0.1:8080'

test('a reference has an owner, a name and a revision, which is main by default', () => {
  expect(parseHubReference('hf:some-body/DiT_XL.2')).toEqual({ owner: 'some-body', name: 'DiT_XL.2', revision: 'main' })
  expect(parseHubReference('hf:a/b@refs/pr/1')).toEqual({ owner: 'a', name: 'b', revision: 'refs/pr/1' })
})

test('the address of a file names owner, name, revision and file', () => {
  expect(hubFileUrl('hf:a/b', 'model.safetensors', { host })).toBe(`${host}/a/b/resolve/main/model.safetensors`)
  expect(hubFileUrl('hf:a/b@v1.0', 'vae/config.json', { host })).toBe(`${host}/a/b/resolve/v1.0/vae/config.json`)
  expect(hubFileUrl('hf:a/b', 'x')).toBe('https://huggingface.co/a/b/resolve/main/x')
})

test('slashes in a revision and marks in a file are percent-encoded', () => {
  expect(hubFileUrl('hf:a/b@refs/pr/1', 'x', { host })).toBe(`${host}/a/b/resolve/refs%2Fpr%2F1/x`)
  expect(hubFileUrl('hf:a/b@1.0+cu', 'x', { host })).toBe(`${host}/a/b/resolve/1.0%2Bcu/x`)
  expect(hubFileUrl('hf:a/b', 'my file?download=1#%2e.pt', { host })).toBe(
    `${host}/a/b/resolve/main/my%20file%3Fdownload%3D1%23%252e.pt`,
  )
})

test('a host may be a mirror under a path', () => {
  expect(hubFileUrl('hf:a/b', 'x', { host: 'https://mirror.example.org/hub/' })).toBe(
    'https://mirror.example.org/hub/a/b/resolve/main/x',
  )
})

test.each(['a/b', 'hf:a', 'hf:', 'hf:a/b/c', 'hub:a/b', 'hf:a@main/b', ' hf:a/b'])(
  '%j is no reference',
  (reference) => {
    expect(() => parseHubReference(reference)).toThrow(
      `parseHubReference: a reference must be hf:owner/name[@revision] (got ${JSON.stringify(reference)}; such as hf:owner/name or hf:owner/name@revision)`,
    )
  },
)

test.each([
  ['hf:../b', 'owner'],
  ['hf:/b', 'owner'],
  ['hf:a?x=1/b', 'owner'],
  ['hf:a/..', 'name'],
  ['hf:a/b..c', 'name'],
  ['hf:a/b#c', 'name'],
  ['hf:a/b%2e', 'name'],
  ['hf:a/', 'name'],
])('%j has no good owner or name', (reference, part) => {
  expect(() => hubFileUrl(reference, 'x', { host })).toThrow(
    `hubFileUrl: ${part} must be letters, digits and _ . - within, without .. (got ${JSON.stringify(reference)}; such as`,
  )
})

test.each(['', '../main', 'a..b', '/main', 'main/', 'a//b', '-x', 'main?download=true', 'a#b', 'a b', 'a@b', 'x\n'])(
  '%j is no revision',
  (revision) => {
    expect(() => hubFileUrl(`hf:a/b@${revision}`, 'x', { host })).toThrow(
      /^hubFileUrl: revision must be a branch, tag or commit: letters, digits and _ \. \+ - \/ within, without \.\. \(got "hf:a\/b@/,
    )
  },
)

test.each(['', '/x', 'x/', 'a//b', '../x', 'a/../x', './x', 'a\\b', 'a\nb', '\ud800'])('%j is no file', (file) => {
  expect(() => hubFileUrl('hf:a/b', file, { host })).toThrow(
    `hubFileUrl: file must be a path within the repository, without . and .. (got ${JSON.stringify(file)}; such as vae/config.json)`,
  )
})

test.each([
  '',
  'hub.example.org',
  'ftp://hub.example.org',
  'https://',
  'https://x?y',
  'https://x#y',
  'https://u:p@x',
  'https://x y',
])('%j is no host', (host) => {
  expect(() => hubFileUrl('hf:a/b', 'x', { host })).toThrow(
    `hubFileUrl: host must be an http(s) address without user, query or fragment (got ${JSON.stringify(host)}; such as https://hub.example.org)`,
  )
})

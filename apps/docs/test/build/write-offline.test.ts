import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeOffline } from '../../src/build/write-offline.js'

const FILES = {
  'service-worker.js': 'const a=1;addEventListener("fetch",()=>a);\n',
  'playground.html': '<p>',
  'train.html': '<p>',
  'index.html': '<p>',
  'models/index.json': '{}',
  'models/heroes-1a.safetensors': 'weights',
  'hashmap.json': '{}',
  'vp-icons.css': '',
  'assets/app.1a.js': '',
  'assets/style.2b.css': '',
  'assets/playground.md.3c.lean.js': '',
  'assets/errors.md.4d.js': '',
  'assets/train.md.8b.js': '',
  'assets/chunks/@localSearchIndexroot.5e.js': '',
  'assets/chunks/theme.6f.js': '',
  'assets/picture.7a.png': '',
}

let site: string
beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), 'dit-offline-'))
  mkdirSync(join(site, 'assets/chunks'), { recursive: true })
  mkdirSync(join(site, 'models'))
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(site, path), text)
})
afterEach(() => rmSync(site, { recursive: true, force: true }))

test('lists the pages that compute with their scripts and styles, in front of the script', () => {
  const list = writeOffline(site)
  expect(list.files).toEqual([
    'playground.html',
    'train.html',
    'models/index.json',
    'hashmap.json',
    'vp-icons.css',
    'assets/app.1a.js',
    'assets/chunks/theme.6f.js',
    'assets/playground.md.3c.lean.js',
    'assets/style.2b.css',
    'assets/train.md.8b.js',
  ])
  expect(readFileSync(join(site, 'service-worker.js'), 'utf8')).toBe(
    `globalThis.ditOffline=${JSON.stringify(list)};\n${FILES['service-worker.js']}`,
  )
})

test('the version is that of what is kept', () => {
  const first = writeOffline(site).version
  const again = () => {
    writeFileSync(join(site, 'service-worker.js'), FILES['service-worker.js'])
    return writeOffline(site).version
  }
  expect(again()).toBe(first)
  writeFileSync(join(site, 'index.html'), '<p>other')
  expect(again()).toBe(first)
  writeFileSync(join(site, 'playground.html'), '<p>other')
  expect(again()).not.toBe(first)
})

test.each(['import{a}from"./a.js";a();', 'const a=1;export{a};', 'import "./a.js"'])(
  'refuses a script that would not start: %s',
  (script) => {
    writeFileSync(join(site, 'service-worker.js'), script)
    expect(() => writeOffline(site)).toThrow('writeOffline: service-worker.js must import and export nothing')
  },
)

import { availableParallelism, cpus, freemem, release, totalmem } from 'node:os'
import { svgToPng } from '../plot/fonts.js'
import { explain } from '../terminal/explain.js'
import { formatBytes } from '../terminal/format.js'
import { ditVersion } from '../version.js'
import type { Finding } from './finding.js'

/** The oldest Node that dit runs on. */
const OLDEST_NODE = [20, 19] as const

/** Node, the machine, and what pictures need. */
export async function checkMachine(): Promise<Finding[]> {
  return [
    { name: 'dit', status: 'ok', text: ditVersion() },
    checkNode(process.versions.node),
    { name: 'platform', status: 'ok', text: `${process.platform} ${release()}, ${process.arch}` },
    {
      name: 'processor',
      status: 'ok',
      text: `${availableParallelism()} cores available, ${cpus()[0]?.model.trim() ?? 'unknown model'}`,
      details: { cores: availableParallelism() },
    },
    {
      name: 'memory',
      status: 'ok',
      text: `${formatBytes(totalmem())}, ${formatBytes(freemem())} of it free`,
      details: { total: totalmem(), free: freemem() },
    },
    await checkSharp(),
    checkDrawing(),
  ]
}

export function checkNode(version: string): Finding {
  const [major, minor] = version.split('.').map(Number)
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])
  const oldest = OLDEST_NODE.join('.')
  if (!isOld) return { name: 'node', status: 'ok', text: version }
  return {
    name: 'node',
    status: 'fail',
    text: `${version} is too old; dit needs ${oldest} or newer`,
    fix: 'https://nodejs.org',
  }
}

/** Reads and writes pictures. */
async function checkSharp(): Promise<Finding> {
  const fix = 'npm install sharp'
  try {
    const { default: sharp } = await import('sharp')
    const pixels = Uint8Array.from({ length: 2 * 2 * 3 }, (_, i) => i * 20)
    const png = await sharp(pixels, { raw: { width: 2, height: 2, channels: 3 } })
      .png()
      .toBuffer()
    const back = await sharp(png).raw().toBuffer()
    const isRight = pixels.every((value, i) => back[i] === value)
    const text = `${sharp.versions.sharp ?? ''} (libvips ${sharp.versions.vips})`
    if (!isRight) return { name: 'sharp', status: 'fail', text: `${text} does not read back what it wrote`, fix }
    return { name: 'sharp', status: 'ok', text, details: { ...sharp.versions } }
  } catch (error) {
    return { name: 'sharp', status: 'fail', text: explain(error).message.split('\n')[0], fix }
  }
}

/** Draws labels and plots. */
function checkDrawing(): Finding {
  try {
    const png = svgToPng('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15">dit</text></svg>')
    return { name: 'drawing', status: 'ok', text: `labels and plots can be drawn (${png.length} bytes of PNG)` }
  } catch (error) {
    const fix = 'npm install @resvg/resvg-js dejavu-fonts-ttf'
    return { name: 'drawing', status: 'fail', text: explain(error).message.split('\n')[0], fix }
  }
}

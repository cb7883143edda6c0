import { bytesField, doubleField, fieldsOf, floatField, integerField, message } from './protobuf.js'

/** An event of TensorBoard. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number
  readonly step: number
  /** The version of the format, in the first event of a file. */
  readonly fileVersion?: string
  /** Numbers by name. */
  readonly scalars?: Readonly<Record<string, number>>
  /** PNG files by name. */
  readonly images?: Readonly<Record<string, Uint8Array>>
}

/** What TensorBoard expects in the first event of a file. */
export const FILE_VERSION = 'brain.Event:2'

/** Kinds of colours of a PNG (grey, RGB, grey and alpha, RGBA) as numbers of channels. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 }

/**
 * An event as protobuf:
 *
 *   Event   { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5 }
 *   Summary { repeated Value value = 1 }
 *   Value   { string tag = 1; float simple_value = 2; Image image = 4 }
 *   Image   { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4 }
 *
 * `event.proto` and `summary.proto` of TensorFlow.
 */
export function encodeEvent({ wallTime, step, fileVersion, scalars = {}, images = {} }: TensorBoardEvent): Uint8Array {
  const values = [
    ...Object.entries(scalars).map(([tag, value]) => message(bytesField(1, tag), floatField(2, value))),
    ...Object.entries(images).map(([tag, png]) => message(bytesField(1, tag), bytesField(4, imageOf(png)))),
  ]
  return message(
    doubleField(1, wallTime),
    ...(step === 0 ? [] : [integerField(2, step)]),
    ...(fileVersion === undefined ? [] : [bytesField(3, fileVersion)]),
    ...(values.length === 0 ? [] : [bytesField(5, message(...values.map((value) => bytesField(1, value))))]),
  )
}

function imageOf(png: Uint8Array): Uint8Array {
  // The header chunk comes first: width, height, depth and kind of colours stand at fixed places.
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  const [width, height, colours] = [view.getUint32(16), view.getUint32(20), view.getUint8(25)]
  return message(
    integerField(1, height),
    integerField(2, width),
    integerField(3, CHANNELS[colours] ?? 3),
    bytesField(4, png),
  )
}

/** What of an event decides whether a resumed run keeps it: its step, and the names of its values. */
export interface EventOutline {
  readonly step: number
  readonly tags: readonly string[]
}

/** @throws RangeError for bytes that are no event */
export function outlineOf(event: Uint8Array): EventOutline {
  let step = 0
  const tags: string[] = []
  for (const { id, value } of fieldsOf(event)) {
    if (id === 2 && typeof value === 'number') step = value
    if (id === 5 && typeof value !== 'number') tags.push(...tagsOf(value))
  }
  return { step, tags }
}

function tagsOf(summary: Uint8Array): string[] {
  const values = [...fieldsOf(summary)].map(({ value }) => [...fieldsOf(value as Uint8Array)])
  const tags = values.map((fields) => fields.find(({ id }) => id === 1)?.value as Uint8Array)
  return tags.map((tag) => new TextDecoder().decode(tag))
}

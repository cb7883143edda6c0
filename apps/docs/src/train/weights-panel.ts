import { h, ref, shallowRef, type VNode } from 'vue'
import { startProblem, type WeightsAbout } from './from-weights.js'
import type { AboutWeights, FromTrainer, ToTrainer } from './messages.js'
import { pictureList } from './picture-list.js'
import type { PageSettings } from './settings.js'

/** A kind of data that the page can go on with, and what its training would be. */
export interface Wanted {
  /** As the page names it. */
  readonly text: string
  /** Null for pictures that are not chosen yet. */
  readonly settings: Pick<PageSettings, 'size' | 'classes'> | null
  readonly isChosen: boolean
  readonly choose: () => void
}

export interface WeightsPanelOptions {
  readonly ask: (message: ToTrainer) => void
  readonly wanted: () => readonly Wanted[]
  /** Begins a training with the weights of a file. */
  readonly begin: (from: File) => void
  /** Takes the folder of a run. */
  readonly take: (files: FileList) => void
}

/** The part of the page that takes what others have trained: a file of weights, from which it draws and begins, or the folder of a run. */
export interface WeightsPanel {
  /** Whether the message was for this part. */
  hear(message: FromTrainer): message is AboutWeights
  view(): VNode
  /** Forgets the file. */
  clear(): void
}

export function weightsPanel({ ask, wanted, begin, take }: WeightsPanelOptions): WeightsPanel {
  const file = shallowRef<File | null>(null)
  const about = shallowRef<WeightsAbout | null>(null)
  const progress = ref<number | null>(null)
  const drawn = shallowRef<Extract<FromTrainer, { kind: 'drawn' }> | null>(null)
  const problem = ref('')

  function clear(): void {
    file.value = null
    about.value = null
    progress.value = null
    drawn.value = null
    problem.value = ''
  }

  function open(chosen: File | undefined): void {
    if (chosen === undefined) return
    clear()
    file.value = chosen
    ask({ kind: 'open', file: chosen })
  }

  function draw(seed: number): void {
    progress.value = 0
    ask({ kind: 'draw', seed })
  }

  function close(): void {
    clear()
    ask({ kind: 'close' })
  }

  function hear(message: FromTrainer): message is AboutWeights {
    switch (message.kind) {
      case 'opened':
        about.value = message.about
        progress.value = 0
        fitting(message.about)?.choose()
        return true
      case 'drawing':
        if (about.value !== null) progress.value = message.done / message.total
        return true
      case 'drawn':
        progress.value = null
        drawn.value = message
        return true
      case 'weights-problem':
        clear()
        problem.value = message.text
        return true
      default:
        return false
    }
  }

  const fitting = (opened: WeightsAbout) =>
    wanted().find(({ settings }) => settings !== null && startProblem(opened, settings) === null)

  function view(): VNode {
    const isOpen = about.value !== null
    return h('div', { class: 'train-weights', role: 'group', 'aria-label': 'Weights from a file' }, [
      h('label', { class: 'figure-file' }, [
        h('span', { class: 'figure-label' }, 'Or open weights: a file that this page or dit convert has written'),
        h('input', {
          type: 'file',
          accept: '.safetensors',
          onChange: (event: Event) => open((event.target as HTMLInputElement).files?.[0]),
        }),
      ]),
      h('p', { class: 'train-note', role: 'status' }, status()),
      progress.value === null
        ? null
        : h('progress', { 'aria-label': 'Drawing from the weights', value: progress.value, max: 1 }),
      problem.value === '' ? null : h('p', { class: 'figure-problem', role: 'alert' }, problem.value),
      drawn.value === null ? null : pictureList(`Samples of ${about.value?.name ?? 'the file'}`, drawn.value.pictures),
      isOpen ? h('p', { class: 'train-note train-start' }, startText(about.value!)) : null,
      isOpen ? h('div', { class: 'train-buttons' }, buttons(about.value!)) : null,
      isOpen ? null : runInput(),
    ])
  }

  function runInput(): VNode {
    return h('label', { class: 'figure-file train-run' }, [
      h('span', { class: 'figure-label' }, 'Or go on with the folder of a run of dit train on shapes or sprites'),
      h('input', {
        type: 'file',
        webkitdirectory: true,
        onChange: (event: Event) => {
          const { files } = event.target as HTMLInputElement
          if (files !== null && files.length > 0) take(files)
        },
      }),
    ])
  }

  function status(): string {
    if (file.value === null) return ''
    if (about.value === null) return `Opening ${file.value.name} …`
    return `${facts(about.value)}. ${drawn.value === null ? 'Drawing …' : `Drawn with seed ${drawn.value.seed}.`}`
  }

  /** Whether the page can go on from the weights, and what that is; or why not, and what to do. */
  function startText(opened: WeightsAbout): string {
    const fits = fitting(opened)
    const chosen = wanted().find(({ isChosen }) => isChosen)!
    if (fits?.isChosen === true)
      return 'To go on from these weights is a new run: a file of weights does not have the state of the optimizer, which warms up again.'
    if (fits !== undefined) return `To go on from these weights, learn from: ${fits.text}.`
    if (chosen.settings === null)
      return `To go on from these weights, choose pictures of their classes, a folder each: ${opened.classNames.join(', ')}.`
    // Of the data with their classes, if there are any, since what differs there is the network.
    const isNear = ({ settings }: Wanted) => settings?.classes.join() === opened.classNames.join()
    const near = wanted().find(isNear)?.settings ?? chosen.settings
    return `This page cannot go on from these weights: ${startProblem(opened, near)}. In a clone, dit train --from goes on from any.`
  }

  function buttons(opened: WeightsAbout): (VNode | null)[] {
    // Not `disabled` while it draws, which would take the focus away.
    const button = (text: string, onClick: () => void, isBusy = false) =>
      h(
        'button',
        {
          type: 'button',
          class: 'train-button',
          key: text,
          'aria-disabled': isBusy ? 'true' : undefined,
          onClick: () => (isBusy ? undefined : onClick()),
        },
        text,
      )
    const isDrawing = progress.value !== null
    const fits = fitting(opened)
    return [
      button('Draw others', () => draw((drawn.value?.seed ?? 0) + 1), isDrawing),
      fits?.isChosen === true ? button('Train from these weights', () => begin(file.value!)) : null,
      button('Close the file', close),
    ]
  }

  return { hear, view, clear }
}

function facts({ name, network, classNames, numParameters }: WeightsAbout): string {
  const side = network?.inputSize
  const [height, width] = typeof side === 'number' ? [side, side] : (side ?? [])
  const size = height === undefined ? '' : `${width} × ${height} pixels, `
  const { length } = classNames
  const classes = length === 1 ? 'one class' : `${length.toLocaleString('en')} classes`
  return `${name}: ${size}${classes}, ${numParameters.toLocaleString('en')} parameters`
}

import { SHAPE_CLASSES, SPRITE_CLASSES } from '@dit/data'
import { computed, defineComponent, h, onBeforeUnmount, onMounted, ref, type VNode } from 'vue'
import { choice, slider } from '../figures/controls.js'
import { useWidth } from '../figures/page.js'
import { type Curve, evenTicks, legend, plot, powerTicks } from '../figures/plot.js'
import { folderFiles } from './folder-store.js'
import type { FromTrainer, Point, ToTrainer } from './messages.js'
import { pictureList } from './picture-list.js'
import { decodeFile, GROUND, readFiles } from './read-files.js'
import { FEWEST_PICTURES, type PageData, type PagePictures, type PageSettings, SIZES } from './settings.js'
import { weightsPanel } from './weights-panel.js'

/** What the page knows of the training. */
type Phase = 'looking' | 'none' | 'kept' | 'taking' | 'starting' | 'running' | 'pausing' | 'finished'

const DATA: readonly { readonly value: PageData; readonly text: string }[] = [
  { value: 'sprites', text: 'Pixel art' },
  { value: 'shapes', text: 'Shapes' },
  { value: 'pictures', text: 'My pictures' },
]
const GENERATED = { shapes: SHAPE_CLASSES, sprites: SPRITE_CLASSES } as const
/** Most points that a curve is drawn with. */
const MOST_POINTS = 400

/** Trains a small DiT in this page: begin, look on, pause, come back after a reload, take the weights away. */
export const TrainHere = defineComponent({
  name: 'TrainHere',
  setup() {
    const phase = ref<Phase>('looking')
    const data = ref<PageData>('sprites')
    const steps = ref(1500)
    const pictures = ref<PagePictures | null>(null)
    const numTransparent = ref(0)
    const settings = ref<PageSettings | null>(null)
    const step = ref(0)
    const rate = ref<number | null>(null)
    const engine = ref('')
    const losses = ref<Point[]>([])
    const heldOut = ref<Point[]>([])
    const samples = ref<Extract<FromTrainer, { kind: 'samples' }> | null>(null)
    const problem = ref('')
    /** What lies there could go on, but not to the numbers of an unbroken run. */
    const isInexact = ref(false)
    const note = ref('')
    const { element, width } = useWidth(640)
    let worker: Worker | null = null
    let began = { time: 0, step: 0 }

    const ask = (message: ToTrainer) => worker?.postMessage(message, [])
    const canBegin = computed(() => data.value !== 'pictures' || numPictures(pictures.value) >= FEWEST_PICTURES)

    /** What a training of some kind of data would be; null for pictures that are not chosen yet. */
    function settingsOf(kind: PageData): PageSettings | null {
      const classes = kind === 'pictures' ? pictures.value?.classes : GENERATED[kind]
      if (classes === undefined) return null
      const size = SIZES[kind]
      return { format: 'dit-page-run-1', data: kind, classes: [...classes], size, steps: steps.value, seed: 0 }
    }

    const weights = weightsPanel({
      ask,
      wanted: () =>
        DATA.map(({ value, text }) => ({
          text,
          settings: settingsOf(value),
          isChosen: value === data.value,
          choose: () => (data.value = value),
        })),
      begin,
      take: takeRun,
    })

    function hear(message: FromTrainer): void {
      if (weights.hear(message)) return
      switch (message.kind) {
        case 'kept':
          settings.value = message.settings
          step.value = message.step
          losses.value = [...message.curves.losses]
          heldOut.value = [...message.curves.heldOut]
          samples.value = null
          phase.value = message.settings === null ? 'none' : isDone(message) ? 'finished' : 'kept'
          return
        case 'started':
          phase.value = 'running'
          engine.value = message.engine
          step.value = message.step
          losses.value = [...message.curves.losses]
          heldOut.value = [...message.curves.heldOut]
          began = { time: performance.now(), step: message.step }
          return
        case 'step':
          step.value = message.step
          rate.value = (1000 * (message.step - began.step)) / (performance.now() - began.time)
          losses.value.push({ step: message.step, value: message.loss })
          if (message.heldOut !== null) heldOut.value.push({ step: message.step, value: message.heldOut })
          return
        case 'samples':
          samples.value = message
          return
        case 'ended':
          step.value = message.step
          phase.value = message.reason === 'finished' ? 'finished' : 'kept'
          return
        case 'exported':
          download(message.file, `dit-${settings.value?.data}-${message.step}.safetensors`)
          note.value = 'Saved. In a clone, npm run dit -- sample draws with that file.'
          return
        default:
          problem.value = message.text
          isInexact.value = message.isInexact === true
          if (phase.value === 'taking' || phase.value === 'starting' || phase.value === 'running') ask({ kind: 'look' })
          else if (phase.value === 'looking') phase.value = 'none'
      }
    }

    /** @param from a file of weights to begin with */
    function begin(from?: File): void {
      problem.value = ''
      isInexact.value = false
      note.value = ''
      const wanted = { ...settingsOf(data.value)!, ...(from === undefined ? {} : { from: from.name }) }
      settings.value = wanted
      samples.value = null
      weights.clear()
      phase.value = 'starting'
      const own = data.value === 'pictures' ? plain(pictures.value!) : null
      ask({ kind: 'begin', settings: wanted, pictures: own, from })
    }

    function resume(allowInexact = false): void {
      problem.value = ''
      isInexact.value = false
      weights.clear()
      phase.value = 'starting'
      ask({ kind: 'resume', allowInexact })
    }

    /** @param files of the folder of a run of `dit train` */
    function takeRun(files: FileList): void {
      problem.value = ''
      isInexact.value = false
      note.value = ''
      weights.clear()
      phase.value = 'taking'
      ask({ kind: 'take', files: folderFiles(files) })
    }

    function pause(): void {
      phase.value = 'pausing'
      ask({ kind: 'pause' })
    }

    async function take(files: FileList | null): Promise<void> {
      problem.value = ''
      const chosen = [...(files ?? [])]
      const read = await readFiles(chosen, SIZES.pictures, (file, size) => decodeFile(file as File, size))
      pictures.value = read.pictures
      numTransparent.value = read.numTransparent
      const { length } = read.refused
      if (length > 0)
        problem.value = `${length === 1 ? `${read.refused[0]} is no picture` : `${length} files are no pictures`} that this browser can read; left out.`
    }

    onMounted(() => {
      worker = new Worker(new URL('./train-worker.ts', import.meta.url), { type: 'module' })
      worker.addEventListener('message', ({ data: message }: MessageEvent<FromTrainer>) => hear(message))
      worker.addEventListener('error', ({ message }) => {
        problem.value = `The Worker stopped: ${message || 'the browser ended it'}. Reload the page to go on from the last checkpoint.`
      })
      ask({ kind: 'look' })
    })
    onBeforeUnmount(() => worker?.terminate())

    return () => {
      const isBusy = phase.value === 'starting' || phase.value === 'running' || phase.value === 'pausing'
      const isIdle = phase.value === 'none' || phase.value === 'finished' || phase.value === 'kept'
      return h('section', { class: 'train-here figure', 'aria-label': 'Train in this page', ref: element }, [
        isIdle ? setup() : null,
        h('div', { class: 'train-buttons' }, buttons(isBusy)),
        h('p', { class: 'train-status', role: 'status' }, status()),
        problem.value === '' ? null : h('p', { class: 'figure-problem', role: 'alert' }, problem.value),
        samples.value === null
          ? null
          : pictureList(
              `Samples after ${samples.value.step.toLocaleString('en')} steps, one of each class`,
              samples.value.pictures,
            ),
        losses.value.length > 1 ? curves() : null,
        isIdle ? weights.view() : null,
      ])
    }

    function setup(): VNode {
      return h('div', { class: 'figure-controls' }, [
        choice({
          label: 'Learn from',
          name: 'train-data',
          value: data.value,
          options: DATA,
          onChange: (value) => (data.value = value),
        }),
        slider({
          label: 'Steps',
          min: 100,
          max: 6000,
          step: 100,
          value: steps.value,
          shown: steps.value.toLocaleString('en'),
          onChange: (value) => (steps.value = value),
        }),
        data.value === 'pictures' ? files() : null,
      ])
    }

    function files(): VNode {
      return h('label', { class: 'figure-file' }, [
        h('span', { class: 'figure-label' }, 'Pictures, or a folder with one folder for each class'),
        h('input', {
          type: 'file',
          multiple: true,
          accept: 'image/*',
          onChange: (event: Event) => void take((event.target as HTMLInputElement).files),
        }),
        h('input', {
          type: 'file',
          webkitdirectory: true,
          'aria-label': 'A folder of pictures',
          onChange: (event: Event) => void take((event.target as HTMLInputElement).files),
        }),
        h('span', { 'aria-live': 'polite' }, picturesText(pictures.value, numTransparent.value)),
      ])
    }

    function buttons(isBusy: boolean): (VNode | null)[] {
      const button = (text: string, onClick: () => void, disabled = false) =>
        h('button', { type: 'button', class: 'train-button', key: text, disabled, onClick }, text)
      const isReading = phase.value === 'looking' || phase.value === 'taking'
      if (isBusy) return [button('Pause', pause, phase.value !== 'running')]
      const isKept = settings.value !== null && (phase.value === 'kept' || phase.value === 'finished')
      return [
        phase.value === 'kept' ? button('Go on', () => resume()) : null,
        phase.value === 'kept' && isInexact.value ? button('Go on anyway', () => resume(true)) : null,
        button(isKept ? 'Begin anew' : 'Train', () => begin(), isReading || !canBegin.value),
        isKept && step.value > 0 ? button('Export', () => ask({ kind: 'export' })) : null,
        isKept ? button('Forget', () => ask({ kind: 'forget' })) : null,
      ]
    }

    function status(): string {
      const from = settings.value?.from === undefined ? '' : ` from ${settings.value.from}`
      const of = `step ${step.value.toLocaleString('en')} of ${settings.value?.steps.toLocaleString('en') ?? '…'}${from}`
      const error = heldOut.value.at(-1)
      const measured = error === undefined ? '' : `, held-out error ${error.value.toFixed(4)}`
      switch (phase.value) {
        case 'looking':
          return 'Looking for a training that was begun here …'
        case 'none':
          return 'Nothing is trained here yet. It stays in this browser.'
        case 'kept':
          return `Paused at ${of}${measured}. ${note.value}`
        case 'finished':
          return `Finished: ${of}${measured}. ${note.value}`
        case 'taking':
          return 'Reading the run …'
        case 'starting':
          return 'Starting …'
        case 'pausing':
          return 'Saving …'
        default:
          return `${of}${rate.value === null ? '' : `, ${rate.value.toFixed(1)} steps a second`}${measured}; ${engine.value}`
      }
    }

    function curves(): VNode {
      const points = (of: readonly Point[]) => thinned(of).map(({ step: x, value }) => [x, value] as const)
      const drawn: Curve[] = [
        { name: 'loss', color: 4, isFaint: true, points: points(losses.value) },
        { name: 'held-out error', color: 1, points: points(heldOut.value) },
      ]
      const values = [...losses.value, ...heldOut.value].map(({ value }) => value)
      const [low, high] = [Math.min(...values), Math.max(...values)]
      const last = settings.value?.steps ?? step.value
      return h('div', [
        plot({
          width: Math.max(280, width.value - 42),
          height: 240,
          x: { domain: [0, last], ticks: evenTicks(0, last, 4, 0), title: 'step' },
          y: { domain: [low, high], isLog: true, ticks: powerTicks(low, high), title: 'error' },
          curves: drawn,
          label: `Loss and held-out error up to step ${step.value}`,
        }),
        legend(drawn),
      ])
    }
  },
})

function isDone({ settings, step }: Extract<FromTrainer, { kind: 'kept' }>): boolean {
  return settings !== null && step >= settings.steps
}

const numPictures = (pictures: PagePictures | null) => pictures?.labels.length ?? 0

function picturesText(pictures: PagePictures | null, numTransparent: number): string {
  if (pictures === null) return `At least ${FEWEST_PICTURES}; hundreds are better. They stay in this browser.`
  const { length } = pictures.classes
  const count = `${numPictures(pictures)} pictures in ${length === 1 ? 'one class' : `${length} classes`}`
  if (numTransparent === 0) return `${count}.`
  const which = numTransparent === 1 ? 'One is transparent and lies' : `${numTransparent} are transparent and lie`
  return `${count}. ${which} on a mid grey, ${GROUND_COLOUR}: the network makes opaque pictures.`
}

/** As `--background` of the command line takes it. */
const GROUND_COLOUR = `#${GROUND.toString(16).padStart(2, '0').repeat(3)}`

/** Without Vue's proxies, which cannot be sent to a Worker. */
function plain({ classes, labels, pixels }: PagePictures): PagePictures {
  return { classes: [...classes], labels: Int32Array.from(labels), pixels: Uint8Array.from(pixels) }
}

/** Every k-th point, and the last. */
function thinned(points: readonly Point[]): readonly Point[] {
  const apart = Math.ceil(points.length / MOST_POINTS)
  return apart < 2 ? points : points.filter((_, i) => i % apart === 0 || i === points.length - 1)
}

function download(file: Uint8Array<ArrayBuffer>, name: string): void {
  const address = URL.createObjectURL(new Blob([file]))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
}

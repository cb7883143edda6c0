import type { Evaluation, MeasureResult } from '../evaluation.js'
import { classTable } from './class-table.js'
import { embeddedJson } from './embedded-json.js'
import { facts, setInWords, settingsList } from './facts.js'
import { formatCount, formatPercent } from './format-number.js'
import { gridFigures } from './grids.js'
import { type Html, html } from './html.js'
import { measureTable } from './measure-table.js'
import { memorisationSection, memorisationTile } from './memorisation.js'
import { nearestSection } from './nearest.js'
import { pageShell } from './page-shell.js'
import { type PictureAlbum, pictureAlbum } from './picture.js'
import { pageHeader, section } from './section.js'
import { measureTile, tiles } from './tiles.js'
import { warningsBox } from './warnings.js'

/** Options of `evaluationPage`. */
export interface EvaluationPageOptions {
  /** The command that repeats the evaluation, as typed. */
  readonly command?: string | null
  /** Samples that are shown beside training pictures, suspects first. Default: 48. */
  readonly maxNearest?: number
}

/**
 * An evaluation as one HTML file: measures as charts and in words, warnings, classes, grids, nearest training pictures, and all of it as JSON.
 *
 * The page asks for nothing, runs one script, which sorts the table of classes, and is the same for the same evaluation. Its size is about 20 KB,
 * the pictures of the grids and of `maxNearest` samples with their neighbours, and for each class 250 bytes and 450 for each of its measures.
 *
 * @throws RangeError for a picture that is not a data URL
 */
export function evaluationPage(
  evaluation: Evaluation,
  { command = null, maxNearest = 48 }: EvaluationPageOptions = {},
): string {
  const { generated, real, intervals, measures, classes, memorisation, nearest, grids, warnings } = evaluation
  const album = pictureAlbum()
  const body = html`${pageHeader('dit evaluation', generated.name, html`<p class="quiet">judged against <span class="path">${real.name}</span></p>`)}
  ${tiles([...headlines(measures).map(measureTile), ...(memorisation === null ? [] : [memorisationTile(memorisation)])])}
  ${warningsBox(warnings, measures)} ${section('judged', 'What was judged', judgedFacts(evaluation))}
  ${section('measures', 'Measures', measures.length === 0 ? html`<p>Nothing was measured on all pictures.</p>` : measureTable(measures, intervals.level))}
  ${section('grids', 'Pictures', grids.length > 0 && gridFigures(grids, album))}
  ${section('copies', 'Copies of training pictures', (memorisation !== null || nearest.length > 0) && copies(evaluation, album, maxNearest))}
  ${section('classes', 'Classes', classes.length > 0 && [CLASSES_TEXT, classTable(classes)])}
  ${section('repeat', 'How to repeat it', repetition(evaluation, command))}`
  return pageShell({ title: `${generated.name}: evaluation`, body, data: embeddedJson(evaluation, album.ids) })
}

/** Measures that are said first, where they are there, beside the first of all. */
const HEADLINES = ['precision', 'recall', 'coverage']

function headlines([first, ...others]: readonly MeasureResult[]): MeasureResult[] {
  if (first === undefined) return []
  return [first, ...others.filter(({ measure }) => HEADLINES.includes(measure))].slice(0, 3)
}

function judgedFacts(evaluation: Evaluation): Html {
  const { generated, real, training, heldOut, intervals, seed } = evaluation
  return facts([
    ['Judged', setInWords(generated)],
    ['Against', setInWords(real)],
    ['Training pictures', training === null ? 'none given: copies were not looked for' : setInWords(training)],
    ...(heldOut === null ? [] : [['Held-out pictures', setInWords(heldOut)] as const]),
    ...extractorFacts(evaluation),
    [
      'Intervals',
      `${formatPercent(intervals.level)} of ${formatCount(intervals.numResamples)} bootstrap resamples at most`,
    ],
    ['Seed', String(seed)],
  ])
}

/** What features were compared. */
export function extractorFacts({ extractor }: Pick<Evaluation, 'extractor'>): (readonly [string, Html])[] {
  const { name, layer, width } = extractor
  return [['Features', html`${name}<span class="quiet">layer ${layer}, ${formatCount(width)} numbers a picture</span>`]]
}

function copies({ memorisation, nearest, generated: { size } }: Evaluation, album: PictureAlbum, max: number): Html {
  const options = { threshold: memorisation?.threshold ?? null, max, side: size === null ? null : Math.max(...size) }
  return html`${memorisation === null ? html`<p>The share of copies was not measured.</p>` : memorisationSection(memorisation)}
  ${nearest.length === 0 ? null : nearestSection(nearest, album, options)}`
}

const CLASSES_TEXT = html`<p>
  Measures of the pictures of one class. There are fewer of them, so intervals are wider, and distances that grow with
  small counts are larger than those of all pictures.
</p>`

function repetition(evaluation: Evaluation, command: string | null): Html {
  const { generated, real, training, heldOut, extractor, sampling, seed } = evaluation
  const fingerprints = {
    judged: generated.fingerprint,
    against: real.fingerprint,
    training: training?.fingerprint,
    'held out': heldOut?.fingerprint,
    extractor: extractor.fingerprint,
  }
  return html`${command === null ? null : html`<pre><code>${command}</code></pre>`}
    <p>
      Equal fingerprints and an equal seed (${seed}) give equal numbers. A fingerprint is of the pictures, or of the
      weights and every option of sampling. The element <code>#data</code> of this page holds all of it as JSON, with
      the ids of pictures in place of the pictures.
    </p>
    ${sampling === null ? html`<p>No samples were drawn: the judged pictures were there already.</p>` : settingsList('How samples were drawn', sampling)}
    ${settingsList('Fingerprints', fingerprints)}`
}

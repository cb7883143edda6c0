export type {
  ClassResult,
  Evaluation,
  MeasureResult,
  Memorisation,
  NearestPictures,
  SetDescription,
} from './evaluation.js'

import { GuidanceFigure } from './guidance-figure.js'
import { ModulationFigure, TimestepFigure } from './modulation-figure.js'
import { PatchesFigure } from './patches-figure.js'
import { PositionsFigure } from './positions-figure.js'
import { ScalingFigure } from './scaling-figure.js'
import { SchedulesFigure } from './schedules-figure.js'
import { SolversFigure } from './solvers-figure.js'

/** The components that pages may name. */
export const figures = [
  GuidanceFigure,
  ModulationFigure,
  PatchesFigure,
  PositionsFigure,
  ScalingFigure,
  SchedulesFigure,
  SolversFigure,
  TimestepFigure,
]

/** The names of the figures that pages may have, for pages without figures, which do not load them. */
export const FIGURE_NAMES = [
  'GuidanceFigure',
  'ModulationFigure',
  'PatchesFigure',
  'PositionsFigure',
  'ScalingFigure',
  'SchedulesFigure',
  'SolversFigure',
  'TimestepFigure',
] as const

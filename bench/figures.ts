/** One thing that was measured, and what it stands beside. */
export type Figure = {
  what: string;
  value: number;
  unit: '/s' | 'ms' | 's' | 'MB';
  /** Measured in the same run, in the same unit. */
  beside?: { what: string; value: number };
  /** What the figure has to be: as a ratio to what is beside it, or by itself where nothing is. */
  bar?: { atLeast: number } | { atMost: number };
};

export function isMissed(figure: Figure): boolean {
  const { bar } = figure;
  if (!bar) return false;
  const measured = ratioOf(figure) ?? figure.value;
  return !('atLeast' in bar ? measured >= bar.atLeast : measured <= bar.atMost);
}

function ratioOf({ value, beside }: Figure): number | undefined {
  return beside && value / beside.value;
}

/** A table: what, the figure, what is beside it, their ratio, and the bar with whether it is met. */
export function describeFigures(figures: readonly Figure[]): string {
  return table([
    ['', 'measured', 'beside', '', 'ratio', 'bar', ''],
    ...figures.map((figure) => {
      const ratio = ratioOf(figure);
      return [
        figure.what,
        withUnit(figure.value, figure.unit),
        figure.beside ? withUnit(figure.beside.value, figure.unit) : '',
        figure.beside?.what ?? '',
        ratio === undefined ? '' : rounded(ratio, 2),
        describeBar(figure),
        figure.bar ? (isMissed(figure) ? 'MISSED' : 'met') : '',
      ];
    }),
  ]);
}

function describeBar({ bar, beside, unit }: Figure): string {
  if (!bar) return '';
  const [sign, limit] = 'atLeast' in bar ? ['≥', bar.atLeast] : ['≤', bar.atMost];
  return beside ? `${sign} ${limit.toFixed(2)}` : `${sign} ${withUnit(limit, unit)}`;
}

function withUnit(value: number, unit: Figure['unit']): string {
  return `${rounded(value, value < 10 ? 1 : 0)} ${unit}`;
}

/** Lines up cells; names to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  const isName = (column: number) => column === 0 || column === 3 || column === 6;
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          isName(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function rounded(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

/** The value below which a share of the values lies; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

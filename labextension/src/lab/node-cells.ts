import type { ICellModel } from '@jupyterlab/cells';
import type { IOutput } from '@jupyterlab/nbformat';
import type { Json } from '../gateway';

/** Limits in characters: a notebook as a whole, a cell in a list, a cell by itself. */
const WHOLE = 60_000;
const LISTED = { source: 4_000, output: 500, outputs: 4 };
const SINGLE = { source: 60_000, output: 8_000, outputs: 50 };
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const MAX_PICTURE = 8_000_000;
const MAX_CELLS = 300;

const COLOURS = /\u001b\[[0-9;]*[A-Za-z]/g;

/** Cells as the assistant reads them; of a long notebook as many as fit. */
export function describeCells(cells: readonly ICellModel[], single: boolean, first = 0): Json {
  const rows: Json[] = [];
  let room = WHOLE;
  for (const [offset, cell] of cells.entries()) {
    const row = describeCell(cell, first + offset, single ? SINGLE : LISTED);
    room -= JSON.stringify(row).length;
    if (rows.length > 0 && (room < 0 || rows.length === MAX_CELLS)) {
      break;
    }
    rows.push(row);
  }
  return { cells: rows, total: cells.length, truncated: rows.length < cells.length };
}

function describeCell(cell: ICellModel, index: number, limits: typeof LISTED): Json {
  const source = cell.sharedModel.getSource();
  const row: Json = { id: cell.id, index, type: cell.type, source: source.slice(0, limits.source) };
  if (source.length > limits.source) {
    row.sourceTruncated = true;
  }
  const { execution_count: count } = cell.toJSON();
  if (typeof count === 'number') {
    row.executionCount = count;
  }
  const texts = outputsOf(cell).slice(0, limits.outputs).map(textOf);
  if (texts.length > 0) {
    row.outputs = texts.map(each => cut(each, limits.output));
  }
  return row;
}

/** What a cell shows now, pictures included. */
export function describeOutputs(cell: ICellModel): Json[] {
  return outputsOf(cell)
    .slice(0, SINGLE.outputs)
    .map(output => {
      const picture = pictureOf(output);
      return picture === null ? { text: cut(textOf(output), SINGLE.output) } : { image: picture };
    });
}

export function failed(cell: ICellModel): boolean {
  return outputsOf(cell).some(output => output.output_type === 'error');
}

function outputsOf(cell: ICellModel): IOutput[] {
  const { outputs } = cell.toJSON();
  return Array.isArray(outputs) ? (outputs as IOutput[]) : [];
}

function pictureOf(output: IOutput): Json | null {
  const data = output.data as Record<string, unknown> | undefined;
  for (const mediaType of PICTURES) {
    const base64 = joined(data?.[mediaType]).replace(/\s/g, '');
    if (base64 !== '' && base64.length <= MAX_PICTURE) {
      return { mediaType, base64 };
    }
  }
  return null;
}

function textOf(output: IOutput): string {
  switch (output.output_type) {
    case 'stream':
      return joined(output.text);
    case 'error':
      return joined(output.traceback).replace(COLOURS, '') || `${String(output.ename)}: ${String(output.evalue)}`;
    default: {
      const data = (output.data ?? {}) as Record<string, unknown>;
      const kinds = Object.keys(data).join(', ');
      return joined(data['text/plain']) || joined(data['text/markdown']) || `[${kinds}]`;
    }
  }
}

function joined(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(String).join(value.some(line => String(line).includes('\n')) ? '' : '\n');
  }
  return typeof value === 'string' ? value : '';
}

function cut(value: string, limit: number): string {
  return value.length <= limit ? value : `${value.slice(0, limit)}… [${value.length} characters]`;
}

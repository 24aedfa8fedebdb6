/** What the code blocks need from a notebook. */
export interface Cells {
  /** Whether a notebook is open to put code into. */
  readonly ready: boolean;
  /** Inserts code below the active cell; false when there is none. */
  insertBelow(code: string): boolean;
  run(code: string): Promise<void>;
}

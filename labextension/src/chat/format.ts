/** Times, amounts and shortenings as the interface writes them. */

/** "< 0.1 s", "0.3 s", "18 s", "2 min 5 s". */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds > 0 && seconds < 0.05) {
    return '< 0.1 s';
  }
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  if (seconds < 60) {
    return `${Math.round(seconds)} s`;
  }
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/** Whole seconds for something that still runs. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** "840", "12.4k", "1.2M". */
export function tokens(count: number): string {
  if (count < 1000) {
    return String(count);
  }
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** "14:06", in the reader's own clock. */
export function clock(at: number): string {
  const date = new Date(at);
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}

/** "now", "14:06" today, else a date. */
export function when(at: number, now: number, nowWord: string): string {
  if (at <= 0) {
    return '';
  }
  if (now - at < 60_000) {
    return nowWord;
  }
  const date = new Date(at);
  return date.toDateString() === new Date(now).toDateString()
    ? clock(at)
    : date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}

/** Splits a command at spaces, keeping them, so that it breaks only between words. */
export function commandWords(command: string): string[] {
  return command.split(/(\s+)/).filter(piece => piece !== '');
}

/** The first lines of an output and how many there are. */
export function firstLines(output: string, limit: number): { text: string; total: number; cut: boolean } {
  const lines = output.replace(/\n+$/, '').split('\n');
  return { text: lines.slice(0, limit).join('\n'), total: lines.length, cut: lines.length > limit };
}

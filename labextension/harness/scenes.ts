/** Made-up events, one list a scene. */
import type { Chat } from '../src/gateway';
import { explorer, stations, weekly } from './surfaces';

const KEY = 'agent:main:main';
const say = (text: string) => ({ role: 'assistant', content: [{ type: 'text', text }] });

export function play(chat: Chat, scene: string): void {
  const now = Date.now();
  const on = (name: string, payload: object, at = now) =>
    chat.apply({ type: 'event', name, payload: { runId: 'r1', sessionKey: KEY, ...payload }, at });
  const tool = (id: string, name: string, args: object, end?: { output?: string; error?: boolean; took?: number; status?: string; surface?: object }) => {
    on('agent', { stream: 'tool', data: { phase: 'start', toolCallId: id, name, args } }, now - (end?.took ?? 18_000));
    if (end !== undefined) {
      const result = { content: [{ type: 'text', text: end.output ?? '' }], details: { status: end.status, surface: end.surface } };
      on('agent', { stream: 'tool', data: { phase: 'result', toolCallId: id, isError: end.error === true, result } });
    }
  };
  const ask = (text: string) => {
    chat.apply({ type: 'sending', runId: 'r1', text, at: now });
    chat.apply({ type: 'accepted', runId: 'r1', status: 'started', at: now - 12_000 });
  };
  chat.apply({ type: 'link', link: { kind: 'open' }, at: now });
  chat.apply({ type: 'hello', payload: { snapshot: { configPath: '~/.openclaw/openclaw.json' } } });
  const builtIn = scene === 'start';
  const models = [
    { id: 'offline', provider: 'builtin', name: 'Built-in model', contextWindow: 32_000, available: true },
    { id: 'claude-sonnet-4-5', provider: 'anthropic', name: 'Sonnet 4.5', contextWindow: 200_000, available: true },
    { id: 'gpt-5', provider: 'openai', name: 'GPT-5', contextWindow: 400_000, available: false }
  ];
  chat.apply({ type: 'models', rows: models });
  const model = builtIn ? 'builtin/offline' : 'anthropic/claude-sonnet-4-5';
  chat.apply({ type: 'history', sessionKey: 'main', payload: { messages: [], sessionInfo: { key: KEY, label: builtIn ? 'New chat' : 'Flipper length and body mass' } } });
  chat.apply({ type: 'modelChosen', ref: model });
  const end = (text: string) => {
    on('agent', { stream: 'lifecycle', data: { phase: 'model', model: 'claude-sonnet-4-5' } });
    on('chat', { state: 'final', message: say(text) });
    on('session.message', { message: { role: 'assistant', usage: { input: 61_000, output: 1400, cost: { total: 0.08 } } } });
  };
  const scenes: Record<string, () => void> = {
    start: () => undefined,
    fresh: () => undefined,
    answer: () => {
      ask('Which two columns of df are most related?');
      tool('t1', 'python', { code: 'df[["flipper_length_mm", "body_mass_g"]].corr()' }, { took: 300, output: '0.87' });
      end('## Flippers predict mass well\n\nAcross 342 birds, each extra millimetre of flipper goes with about 50 g of body mass.\n\n```python\nfrom scipy import stats\n\nfit = stats.linregress(\n    df["flipper_length_mm"],\n    df["body_mass_g"],\n)\nround(fit.slope, 1)\n```');
    },
    reading: () => {
      ask('What did I decide about the greenhouse?');
      end('In March you chose polycarbonate over glass, for the hail.');
      on('memory.progress', { agentId: 'main', done: 1240, total: 5000, active: true });
    },
    streaming: () => {
      ask('And is it the same for each species?');
      on('agent', { stream: 'thinking', data: { text: 'Group by species first.' } }, now - 9000);
      for (const id of ['1', '2', '3', '4', '5']) {
        tool(`s${id}`, 'read', { path: `data/part-${id}.csv` }, { took: 100 });
      }
      on('chat', { state: 'delta', message: say('Yes, but less. Within one species the slope falls to between 33 and 55 g per millimetre: 33 for Adelie, 35 for Chins') });
    },
    tools: () => {
      ask('Make the tests in @tests/ pass.');
      on('chat', { state: 'delta', message: say('I will look at the failing test first.') });
      tool('t1', 'read', { path: 'tests/test_clean.py' }, { took: 100, output: 'def test' });
      tool('t2', 'exec', { command: 'pytest -q tests/test_clean.py' }, { took: 2100, error: true, output: '..F.\nFAILED test_clean.py::test_keeps_sex\nAssertionError: 333 != 342\n1 failed, 3 passed in 1.84s\n' + 'more\n'.repeat(44) });
      tool('t3', 'edit', { path: 'src/report.py' }, { status: 'skipped' });
      tool('t4', 'exec', { command: 'rm -rf build' }, { status: 'denied', error: true });
      tool('t5', 'exec', { command: 'pytest -q tests/' });
    },
    approval: () => {
      ask('Push the branch, please.');
      tool('t1', 'exec', { command: 'git commit -am "Keep unsexed birds"' }, { took: 200 });
      tool('t2', 'exec', { command: 'git push origin tidy-loading' });
      on('exec.approval.requested', {
        id: 'a1', createdAtMs: now, expiresAtMs: now + 29 * 60_000 + 30_000,
        request: { title: 'Run a command', command: 'git push origin tidy-loading', cwd: '~/penguins', reason: 'git push is not on the allowlist', effect: 'sends files to another computer', risk: 'medium', toolCallId: 't2', sessionKey: KEY, scopes: ['allow-once', 'allow-always', 'deny'] }
      });
    },
    question: () => {
      ask('Book the trip to the station.');
      on('chat', { state: 'delta', message: say('Before I book, three things:') });
      tool('t1', 'ask_user', { questions: [{ question: 'Which boat?' }] });
      on('question.requested', {
        id: 'q-1', status: 'pending', sessionKey: KEY, createdAtMs: now, expiresAtMs: now + 29 * 60_000 + 30_000,
        questions: [
          { questionId: 'q1', header: 'Boat', question: 'Which boat should I book to Palmer Station?', isOther: true, options: [{ label: 'Laurence M. Gould', description: 'leaves on Monday, four days, cabins for two' }, { label: 'Hondius', description: 'leaves on Thursday, five days' }] },
          { questionId: 'q2', header: 'Luggage', question: 'What do you take along?', multiSelect: true, isOther: false, options: [{ label: 'Scales' }, { label: 'Callipers' }, { label: 'Tent' }] },
          { questionId: 'q3', header: 'Name', question: 'In whose name?', isOther: true, options: [] }
        ]
      });
    },
    canvas: () => {
      ask('Give me controls for the mass chart.');
      tool('t1', 'canvas', { kind: 'surface', title: 'Penguin explorer' }, { took: 200, surface: { surfaceId: 'explorer', title: 'Penguin explorer', messages: explorer } });
      end('With at least 15 birds a year, all three species remain.');
    },
    checks: () => {
      ask('Mail me the counts every Monday.');
      on('chat', { state: 'delta', message: say('Two things I need to know:') });
      tool('t1', 'canvas', { kind: 'form', title: 'Weekly check' }, { took: 100, surface: { surfaceId: 'weekly', title: 'Weekly check', messages: weekly } });
      tool('t2', 'canvas', { kind: 'surface', title: 'Stations' }, { took: 100, surface: { surfaceId: 'stations', title: 'Stations', messages: stations } });
    },
    stopped: () => {
      ask('Bootstrap the slope, a million draws.');
      on('chat', { state: 'delta', message: say('I am drawing one million samples of 342 birds. This takes a while; the first 40,000 give a slope of 49.7 with') });
      tool('t1', 'python', { code: 'bootstrap(df, n=1_000_000)' });
      on('chat', { state: 'aborted' });
    },
    failed: () => {
      ask('And with the sexes apart?');
      on('chat', { state: 'error', errorMessage: 'Anthropic refused the key: it is no longer valid.', errorDetail: { provider: 'anthropic', httpStatus: 401 } });
    },
    away: () => {
      ask('Which two columns are most related?');
      end('The strongest relation in the table is between flipper length and body mass.');
      chat.apply({ type: 'link', link: { kind: 'away', retryAt: now + 4000, reason: '' }, at: now });
      chat.drafts.set('main', 'And is it the same for each species?');
    },
    sessions: () => {
      const row = (key: string, label: string, lastMessagePreview: string, more = {}) => ({ key, label, lastMessagePreview, updatedAt: now - 3_600_000, ...more });
      chat.apply({ type: 'sessions', defaults: {}, rows: [
        row(KEY, 'Flipper length and body mass', 'Yes, but less. Within one species…', { status: 'running', updatedAt: now }),
        row('agent:main:a', 'Main', 'The tests pass; 342 rows kept.', { pinned: true }),
        row('agent:main:b', 'Field team', 'Could you send the chart again?', { unread: true })
      ] });
      window.setTimeout(() => document.querySelector<HTMLElement>('.oc-head-title')?.click(), 50);
    }
  };
  scenes[scene]?.();
}

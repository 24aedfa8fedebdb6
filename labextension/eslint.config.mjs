// Arrow rules: gateway <- chat <- lab and web. The gateway client knows no React, the components know no JupyterLab.
import parser from '@typescript-eslint/parser';
import hooks from 'eslint-plugin-react-hooks';

const LAB = ['@jupyterlab/*', '@lumino/*'];
const forbid = (group, message) => ({ 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] });

export default [
  { ignores: ['lib/**', 'node_modules/**', 'harness/dist/**'] },
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parser, parserOptions: { ecmaFeatures: { jsx: true } } },
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      'react-hooks/exhaustive-deps': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': ['error', { allow: ['warn', 'error'] }],
      'no-var': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 450 }],
      'max-depth': ['error', 4],
      complexity: ['error', 26]
    }
  },
  {
    files: ['src/gateway/**'],
    rules: forbid([...LAB, 'react', 'react-dom', '../chat', '../chat/*', '../lab', '../lab/*'], 'The gateway client imports no view and no JupyterLab.')
  },
  {
    files: ['src/web/**'],
    rules: forbid([...LAB, '../lab', '../lab/*'], 'The page stands without JupyterLab.')
  },
  {
    files: ['src/canvas/**'],
    rules: forbid([...LAB, 'react', 'react-dom', '**/gateway', '**/gateway/*', '**/chat', '**/chat/*', '**/lab/*'], 'The Canvas runs in any page; its host is handed in.')
  },
  {
    files: ['src/chat/**'],
    rules: {
      ...forbid([...LAB, '../lab', '../lab/*', '../web', '../web/*'], 'Components get JupyterLab through Env only.'),
      'max-lines': ['error', { max: 200, skipBlankLines: true, skipComments: true }]
    }
  }
];

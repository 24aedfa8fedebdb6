import chat from './lab/plugin';

export default [chat];

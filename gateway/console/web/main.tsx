import './style/tokens.css';
import './style/base.css';
import './style/parts.css';
import './style/frame.css';
import './style/board.css';
import './style/pages.css';
import './style/wizard.css';
import { render } from 'preact';
import { App } from './app.js';
import { findSession } from './session.js';
import { browserLanguage, speak } from './words/speak.js';

/** Loads the words, draws the page, and asks who is at it. */
async function start(): Promise<void> {
  const root = document.getElementById('console');
  if (root === null) throw new Error('the page has no place to draw in');
  await speak(browserLanguage());
  render(<App />, root);
  await findSession();
}

void start();

/** The name of the local socket in the run folder. */
export const CONSOLE_SOCKET = 'console.sock';

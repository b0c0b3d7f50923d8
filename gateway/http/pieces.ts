/**
 * Writes lent pieces of bytes into an answer, one at a time: no stream lies between, and no piece is kept.
 *
 * The connection's own buffer in the system is what keeps a client busy while the next piece is fetched.
 */
import type { ServerResponse } from 'node:http'

/**
 * Sends `pieces` and ends the answer. The next piece is asked for only when the system has taken all of the last one, so
 * that its memory may be used again; the first one when the answers before this one on the same connection are through.
 *
 * @throws Error `ECONNRESET` the connection ended before; or what `pieces` throws, and the answer is then not ended
 */
export async function sendPieces(pieces: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  const { socket } = response.req
  let cut: (reason: Error) => void = () => undefined
  const closed = (): void => {
    cut(hungUp())
  }
  // An answer that waits behind another one of its connection is not told when that ends; the socket is.
  const step = (begin: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      cut = reject
      if (socket.closed) closed()
      else
        begin((error) => {
          if (error) reject(error)
          else resolve()
        })
    })
  socket.once('close', closed)
  try {
    // Requests that a client sends without waiting for answers hold no memory before it is their turn.
    await step((done) => {
      if (response.socket) done()
      else
        response.once('socket', () => {
          done()
        })
    })
    for await (const piece of pieces) {
      await step((done) => {
        response.write(piece, done)
      })
    }
    await step((done) => {
      response.end(done)
    })
  } finally {
    socket.off('close', closed)
  }
}

function hungUp(): Error {
  return Object.assign(new Error('the connection ended before the answer'), { code: 'ECONNRESET' })
}

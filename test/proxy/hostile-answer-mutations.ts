// Answers made from good ones by program, as hostile-mutations.ts makes requests: one octet replaced, put in, doubled or
// left out at each place, and cuts into pieces at each place.
import type { AnswerCase } from './hostile-answer-kit.ts'
import { OCTETS, put } from './hostile-mutations.ts'
import { readAnswer } from './hostile-read-answer.ts'

const LENGTH = 'HTTP/1.1 200 OK\r\nX-One: a b\r\nContent-Length: 6\r\n\r\n(body)'
const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n(bod\r\n2;e=1\r\ny)\r\n0\r\nX-T: 1\r\n\r\n'

function settle(name: string, answer: string): AnswerCase {
  const reading = readAnswer(answer, 0, 'GET', true)
  // The pod closes behind each, so that none of them waits.
  const one = { name, answer, leaves: 'end' as const }
  if (reading.kind !== 'answer') return { ...one, expect: 'cut' }
  const { status, body, doubts } = reading.answer
  const isOdd = status !== 200 || doubts.some(doubt => doubt !== 'a chunk extension')
  if (isOdd) return { ...one, expect: 'either', why: 'legal but odd' }
  return { ...one, expect: 'relay', got: [status, body] }
}

function mutate(label: string, text: string): AnswerCase[] {
  const cases: AnswerCase[] = []
  for (let at = 0; at < text.length; at++) {
    const here = `${label} at ${at}`
    for (const [octet, what] of Object.entries(OCTETS)) {
      if (what !== text[at])
        cases.push(settle(`${here}: ${octet} for ${JSON.stringify(text[at])}`, put(text, at, what, 1)))
      cases.push(settle(`${here}: ${octet} put in`, put(text, at, what, 0)))
    }
    cases.push(settle(`${here}: ${JSON.stringify(text[at])} left out`, put(text, at, '', 1)))
    cases.push(settle(`${here}: ${JSON.stringify(text[at])} twice`, put(text, at, text[at]!, 0)))
  }
  return cases
}

/** Each place of an answer with a length and of one with chunks, changed in every way. */
export const answerMutations = (): AnswerCase[] => [...mutate('length', LENGTH), ...mutate('chunks', CHUNKS)]

/** Good answers in two pieces, cut at each place, and octet by octet; and one with a second answer behind it. */
export function answerSplits(): AnswerCase[] {
  const cases: AnswerCase[] = []
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${LENGTH}`
  for (const [label, text] of Object.entries({ length: LENGTH, chunks: CHUNKS, hint })) {
    const more = { expect: 'relay', got: [200, '(body)'] } as const
    for (let at = 1; at < text.length; at++)
      cases.push({ name: `${label}, cut at ${at}`, answer: [text.slice(0, at), 2, text.slice(at)], ...more })
    for (let at = 1; at < text.length; at++) {
      const request = 'GET /case HTTP/1.0\r\nHost: a\r\n\r\n'
      cases.push({
        name: `old client: ${label}, cut at ${at}`,
        answer: [text.slice(0, at), 2, text.slice(at)],
        request,
        ...more,
      })
    }
    cases.push({ name: `${label}, octet by octet`, answer: [...text].flatMap(octet => [octet, 1]), ...more })
  }
  return cases
}

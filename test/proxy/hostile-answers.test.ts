// Malformed, ambiguous and awkward answers of pods: a client gets a 502, an end that shows that the answer is not whole,
// or an answer that can be read in one way only; and nobody ever gets what was meant for somebody else, or waits.
import { test } from 'tap'
import { brokenAnswers } from './hostile-answer-cuts.ts'
import { runAnswers } from './hostile-answer-kit.ts'
import { answerMutations, answerSplits } from './hostile-answer-mutations.ts'
import { answers as proper } from './hostile-answers.ts'
import { notYetAnswers } from './hostile-not-yet.ts'
import { readAnswer } from './hostile-read-answer.ts'

const answers = [...proper, ...brokenAnswers]

test('the strict reader judges answers as the table does', async t => {
  t.ok(answers.length > 100)
  for (const { name, answer, leaves, request = 'GET ', expect, got } of answers) {
    if (expect === 'either' || /[47]0 KB|1 MB|100 KB|5,000|flood|unasked|later|for an old client/.test(name)) continue
    const text = typeof answer === 'string' ? answer : answer.filter(part => typeof part === 'string').join('')
    const reading = readAnswer(text, 0, request.slice(0, request.indexOf(' ')), leaves === 'end')
    if (expect === 'relay') t.match(reading, { kind: 'answer', answer: { status: got?.[0], body: got?.[1] } }, name)
    else t.not(reading.kind, 'answer', name)
  }
})

for (const [what, cases] of Object.entries({ answers, mutations: answerMutations(), splits: answerSplits() })) {
  test(`${what}: ${cases.length} answers are refused, cut or relayed clean`, async t => {
    const names = cases.map(one => one.name)
    t.strictSame(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
      'names',
    )
    const wrong = await runAnswers(t, cases)
    for (const one of cases) {
      const found = wrong.get(one.name) ?? []
      if (notYetAnswers.has(one.name)) t.not(found.length, 0, `${one.name} passes: take it off the list`)
      else if (found.length > 0) t.fail(one.name, { found, answer: one.answer.toString().slice(0, 500) })
    }
    t.pass('all were run')
  })
}

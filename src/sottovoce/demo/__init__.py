"""`sottovoce demo`: a small contact centre on loopback, with customers who really call and speak.

- `trial`: a data folder of its own, a seed file, and the server on free ports.
- `people`: agents who sign in and poll over HTTP, customers who call over SIP, the inspector's phone.
- `meters`: who could hear whom, and who does now, found in what the phones heard.
- `afterwards`: what becomes of the calls: contacts, a plan that samples them, a review task.
- `board`: the table in the terminal, or plain lines where there is none.
- `paste`: curl lines for the inspector, live and afterwards. `proving`: the same walks without a hand.
- `voices`: the recordings (`speech/`), made by `synthesis`, as are those for callers in queues (`announced`).
  `run`: the entry.

The command line calls `run.main`. Everything seen here comes through the same doors that anybody
uses: HTTP of both families, SIP and RTP. When it ends nothing is left: no process, no socket, no folder.
"""

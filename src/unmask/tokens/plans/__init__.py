"""Block plans: how documents become training sequences, one input format a file.

A plan is a pure function of the tokens folder and the block length. It numbers its blocks from 0
and reads any set of them at once; order, batches and masks are decided by others. Every plan
states what it does with remainders and with sentences longer than a block, and reports both.

Most formats are runs of one stream: the shard's sentences in their order, with the format's
separators between them (`stream.py`). Such a format is a function that says where in the stream
its blocks begin and end; `runs.py` does the rest. The two formats of sentence pairs are read by
`pairs.py`.
"""

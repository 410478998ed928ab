"""Cell study: rnn, gru and lstm of equal size, measured side by side to show what an LSTM is for.

Each part measures one thing and knows nothing of the others, of plots and of pages.
"""

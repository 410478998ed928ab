"""What an LSTM is for, measured: rnn, gru and lstm of equal size, side by side.

Each part measures one thing and knows nothing of the others, of plots and of pages.
"""

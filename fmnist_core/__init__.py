"""Everything in Dropout Lab that is true without a browser: data, model, training, store, jobs, figures."""

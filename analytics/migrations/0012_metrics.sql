-- Dead deliveries are counted once a minute and more: few rows, which this index has and no others.
CREATE INDEX deliveries_dead ON deliveries (number) WHERE state = 'dead';

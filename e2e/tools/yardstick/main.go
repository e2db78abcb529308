// Measures two CRI runtimes beside each other with one client, by turns:
//
//	yardstick reads -ours SOCKET -theirs SOCKET -image NAME [-pods 200] [-pairs 20] [-calls 50]
//	yardstick exec -ours SOCKET -theirs SOCKET -image NAME [-pairs 20] [-bytes 1073741824]
//
// It fills both with the same pods, prints a line of JSON for each measurement, and removes the pods. Pair 0 does not count.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("say reads or exec"))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	ours := flags.String("ours", "", "socket of the runtime to measure")
	theirs := flags.String("theirs", "", "socket of the one beside it")
	image := flags.String("image", "", "an image that both have, with a shell in it")
	pods := flags.Int("pods", 200, "how many, with a running container in each")
	pairs := flags.Int("pairs", 20, "how often each side has its turn")
	calls := flags.Int("calls", 50, "of one verb, in one turn")
	bytes := flags.Int64("bytes", 1<<30, "to send through cat")
	flags.Parse(os.Args[2:])

	var measure func(context.Context, [2]*runtime) error
	switch os.Args[1] {
	case "reads":
		measure = func(ctx context.Context, sides [2]*runtime) error { return reads(ctx, sides, *pairs, *calls) }
	case "exec":
		*pods = 1
		measure = func(ctx context.Context, sides [2]*runtime) error { return execs(ctx, sides, *pairs, *bytes) }
	default:
		fail(fmt.Errorf("no such command: %s", os.Args[1]))
	}
	if err := run([2]string{*ours, *theirs}, *image, *pods, measure); err != nil {
		fail(err)
	}
}

func run(sockets [2]string, image string, pods int, measure func(context.Context, [2]*runtime) error) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	var sides [2]*runtime
	for i, socket := range sockets {
		if sides[i], err = dial(socket, i == 1); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sides[i].empty(ctx)) }()
		if err = sides[i].fill(ctx, image, pods); err != nil {
			return fmt.Errorf("%s: %w", socket, err)
		}
	}
	return measure(ctx, sides)
}

// turns lets both sides run n times, the order changing from pair to pair, and tells of each pair but the first.
func turns(n int, sides [2]*runtime, turn func(*runtime) (map[string]float64, error), name string) error {
	for pair := 0; pair <= n; pair++ {
		var found [2]map[string]float64
		for i := range sides {
			which := (i + pair) % 2
			var err error
			if found[which], err = turn(sides[which]); err != nil {
				return fmt.Errorf("%s of %s: %w", name, sides[which].socket, err)
			}
		}
		if pair > 0 {
			line, _ := json.Marshal(map[string]any{"what": name, "pair": pair, "ours": found[0], "theirs": found[1]})
			fmt.Println(string(line))
		}
	}
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "yardstick:", err)
	os.Exit(1)
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	restclient "k8s.io/client-go/rest"
	client "k8s.io/client-go/tools/remotecommand"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Of a gigabyte each, and emulated.
const mostCats = 3

// execs measures a command that does nothing, in milliseconds, then what passes through cat there and back, in MB/s.
func execs(ctx context.Context, sides [2]*runtime, pairs int, bytes int64) error {
	nothing := func(r *runtime) (map[string]float64, error) {
		began := time.Now()
		answer, err := r.calls.ExecSync(ctx, &cri.ExecSyncRequest{ContainerId: r.containers[0], Cmd: []string{"true"}, Timeout: 60})
		if err == nil && answer.ExitCode != 0 {
			err = fmt.Errorf("exit code %d: %s", answer.ExitCode, answer.Stderr)
		}
		return map[string]float64{"ms": millis(began)}, err
	}
	if err := turns(pairs, sides, nothing, "ExecSync"); err != nil {
		return err
	}
	// pair 0 need not be as long as the others
	warmed := map[*runtime]bool{}
	through := func(r *runtime) (map[string]float64, error) {
		size := bytes
		if !warmed[r] {
			size = min(bytes, 64<<20)
			warmed[r] = true
		}
		rate, err := cat(ctx, r, size)
		return map[string]float64{"rate": rate}, err
	}
	return turns(min(pairs, mostCats), sides, through, "cat")
}

func cat(ctx context.Context, r *runtime, bytes int64) (float64, error) {
	answer, err := r.calls.Exec(ctx, &cri.ExecRequest{ContainerId: r.containers[0], Cmd: []string{"cat"}, Stdin: true, Stdout: true})
	if err != nil {
		return 0, err
	}
	address, err := url.Parse(answer.Url)
	if err != nil {
		return 0, err
	}
	executor, err := client.NewSPDYExecutor(&restclient.Config{TLSClientConfig: restclient.TLSClientConfig{Insecure: true}}, "POST", address)
	if err != nil {
		return 0, err
	}
	back := &counter{}
	began := time.Now()
	err = executor.StreamWithContext(ctx, client.StreamOptions{Stdin: io.LimitReader(zeros{}, bytes), Stdout: back})
	seconds := time.Since(began).Seconds()
	if err == nil && back.count != bytes {
		err = fmt.Errorf("%d of %d bytes came back", back.count, bytes)
	}
	return float64(bytes) / 1e6 / seconds, err
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

type counter struct{ count int64 }

func (c *counter) Write(data []byte) (int, error) {
	c.count += int64(len(data))
	return len(data), nil
}

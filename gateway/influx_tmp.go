package gateway

import "context"

func (g *Gateway) runInflux(ctx context.Context, up func()) error { up(); <-ctx.Done(); return nil }

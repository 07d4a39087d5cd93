export default fromNodeMiddleware(tracker)

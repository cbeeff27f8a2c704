package replicator.aws;

import java.io.IOException;
import org.apache.http.HttpClientConnection;
import org.apache.http.HttpException;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.HttpStatus;
import org.apache.http.ProtocolException;
import org.apache.http.protocol.HttpContext;
import org.apache.http.protocol.HttpRequestExecutor;

/** Skips interim answers (status 100 to 199) as HttpClient does, up to {@link AnswerBounds#INTERIM_ANSWERS} of them. */
final class FewInterimAnswers extends HttpRequestExecutor {
    @Override
    protected HttpResponse doReceiveResponse(HttpRequest request, HttpClientConnection connection, HttpContext context)
            throws HttpException, IOException {
        for (int passed = 0; passed <= AnswerBounds.INTERIM_ANSWERS; passed++) {
            HttpResponse answer = connection.receiveResponseHeader();
            int status = answer.getStatusLine().getStatusCode();
            if (status < HttpStatus.SC_CONTINUE) {
                throw new ProtocolException("the answer's status is " + status);
            }
            if (status >= HttpStatus.SC_OK) {
                if (canResponseHaveBody(request, answer)) {
                    connection.receiveResponseEntity(answer);
                }
                return answer;
            }
        }
        throw new ProtocolException("more than " + AnswerBounds.INTERIM_ANSWERS + " interim answers, and none that counts");
    }
}
